using System.CommandLine;
using System.Globalization;
using System.Runtime.CompilerServices;
using Spectre.Console;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Commands;

/// <summary><c>deliveries ISSUE [--state S] [--json|--csv]</c>: every recipient with state, attempts and the relay's own reply. Streamed.</summary>
internal static class DeliveriesCommand
{
    /// <summary>The command.</summary>
    public static Command Create(CommandEdge edge)
    {
        var issue = Inputs.Issue();
        var state = new Option<string?>("--state") { HelpName = "STATE", Description = "Only those in this state." }
            .AcceptOnlyFromAmong(StringComparer.OrdinalIgnoreCase, [.. Enum.GetNames<DeliveryState>().Select(name => name.ToLowerInvariant())]);
        var again = new Option<bool>("--sent-again") { Description = "Only those that may have arrived twice: sent again after an answer was lost. Who still waits to be sent again is not among them." };
        var json = Inputs.Json();
        var csv = new Option<bool>("--csv") { Description = "Print CSV (RFC 4180), every value exactly as it is." };
        var spreadsheet = new Option<bool>("--for-spreadsheet") { Description = "With --csv: put an apostrophe before values that a spreadsheet would run as a formula." };
        var command = new Command("deliveries", "List the recipients of a mailing and what became of each.") { issue, state, again, json, csv, spreadsheet };
        command.Validators.Add(result =>
        {
            if (result.GetValue(json) && result.GetValue(csv)) result.AddError("--json and --csv exclude each other.");
            if (result.GetValue(spreadsheet) && !result.GetValue(csv)) result.AddError("--for-spreadsheet goes with --csv.");
        });
        command.SetAction(edge.Run(async (run, parsed, cancel) =>
        {
            var rows = await RowsAsync(run, parsed.GetRequiredValue(issue), parsed.GetValue(state), parsed.GetValue(again), cancel);
            if (parsed.GetValue(json)) await Json.WriteArrayAsync(run.BeginRows(), rows, cancel);
            else if (parsed.GetValue(csv)) await WriteCsvAsync(new Csv(run.BeginRows(), parsed.GetValue(spreadsheet)), rows, cancel);
            else await WriteLinesAsync(run, rows, cancel);
            return CommandLine.Done;
        }));
        return command;
    }

    private static async Task<IAsyncEnumerable<DeliveryLine>> RowsAsync(CommandRun run, string issue, string? state, bool sentAgain, CancellationToken cancel)
    {
        var installation = await run.OpenAsync(cancel);
        var mailing = await Mailings.FindAsync(run, installation, issue, cancel);
        var content = await installation.Database.Mailings.ContentAsync(mailing.Id, cancel);
        var messages = new MailingMessages(mailing.Issue.Value, content, installation.LinkTokens);
        DeliveryState? wanted = state is null ? null : Enum.Parse<DeliveryState>(state, ignoreCase: true);
        var rows = installation.Database.Mailings.DeliveriesAsync(mailing.Id, wanted, cancel);
        return LinesAsync(sentAgain ? rows.Where(row => row.MayBeThereTwice) : rows, messages, cancel);
    }

    private static async IAsyncEnumerable<DeliveryLine> LinesAsync(
        IAsyncEnumerable<DeliveryReport> reports, MailingMessages messages, [EnumeratorCancellation] CancellationToken cancel)
    {
        await foreach (var row in reports.WithCancellation(cancel))
            yield return new DeliveryLine(row.Address, row.State.ToString().ToLowerInvariant(), row.Attempts, row.Reply,
                messages.MessageId(new DeliveryId(row.MailingId, row.SubscriberId)), row.UpdatedAt);
    }

    private static async Task WriteCsvAsync(Csv csv, IAsyncEnumerable<DeliveryLine> rows, CancellationToken cancel)
    {
        await csv.WriteAsync(["address", "state", "attempts", "reply", "messageId", "updatedAt"]);
        await foreach (var row in rows.WithCancellation(cancel))
            await csv.WriteAsync([row.Address, row.State, row.Attempts.ToString(CultureInfo.InvariantCulture), row.Reply, row.MessageId, row.UpdatedAt.ToString("O", CultureInfo.InvariantCulture)]);
    }

    private static async Task WriteLinesAsync(CommandRun run, IAsyncEnumerable<DeliveryLine> rows, CancellationToken cancel)
    {
        var target = run.BeginRows();
        await foreach (var row in rows.WithCancellation(cancel))
        {
            var line = string.Create(CultureInfo.InvariantCulture, $"{row.State,-10} {row.Attempts,2}  {row.Address}{(row.Reply is null ? "" : "  " + row.Reply)}");
            if (run.Host.OutIsTerminal) run.Console.WriteLine(line);
            else await target.WriteLineAsync(line);
        }
    }
}

/// <summary>The JSON of a delivery.</summary>
internal sealed record DeliveryLine(string Address, string State, int Attempts, string? Reply, string MessageId, DateTimeOffset UpdatedAt);
