using System.CommandLine;
using System.Globalization;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Commands;

/// <summary><c>resolve ISSUE --uncertain resend|sent</c> and <c>retry ISSUE --failed</c>: what only a person can decide. A server that runs takes up what becomes pending.</summary>
internal static class DecisionCommands
{
    private static readonly TimeSpan ReportEvery = TimeSpan.FromSeconds(5);

    /// <summary>resolve ISSUE --uncertain resend|sent.</summary>
    public static Command Resolve(CommandEdge edge)
    {
        var issue = Inputs.Issue();
        var uncertain = new Option<string>("--uncertain")
        {
            HelpName = "resend|sent", Required = true,
            Description = "resend: send them again, the same message with the same Message-ID; sent: count them as sent.",
        };
        uncertain.AcceptOnlyFromAmong("resend", "sent");
        var command = new Command("resolve", "Decide deliveries whose fate is not known; `deliveries ISSUE --state uncertain` lists them.") { issue, uncertain };
        command.SetAction(edge.Run((run, parsed, cancel) => DecideAsync(
            run, parsed.GetRequiredValue(issue), parsed.GetRequiredValue(uncertain) == "sent" ? DeliveryEvent.Confirm : DeliveryEvent.Resend, cancel)));
        return command;
    }

    /// <summary>retry ISSUE --failed.</summary>
    public static Command Retry(CommandEdge edge)
    {
        var issue = Inputs.Issue();
        var failed = new Option<bool>("--failed") { Description = "Those that have failed; their attempts start anew. Who has left stays out." };
        var command = new Command("retry", "Send failed deliveries once more; `deliveries ISSUE --state failed` lists them.") { issue, failed };
        command.Validators.Add(result =>
        {
            if (!result.GetValue(failed)) result.AddError("Say which: --failed.");
        });
        command.SetAction(edge.Run((run, parsed, cancel) => DecideAsync(run, parsed.GetRequiredValue(issue), DeliveryEvent.Retry, cancel)));
        return command;
    }

    private static async Task<int> DecideAsync(CommandRun run, string issue, DeliveryEvent decision, CancellationToken cancel)
    {
        var installation = await run.OpenAsync(cancel);
        var mailing = await Mailings.FindAsync(run, installation, issue, cancel);
        var result = await installation.DecideDeliveries.RunAsync(mailing, decision, new Lines(run, mailing.Issue.Value), cancel);
        await run.Out.WriteLineAsync($"{mailing.Issue}: {DecideDeliveries.Describe(decision, result)}");
        await BalanceView.WriteAsync(run, result.Mailing, result.Balance);
        if (result.Balance.Pending > 0) await run.Out.WriteLineAsync(HowItGoesOn(result.Mailing));
        return result.Balance.NeedsAttention ? CommandLine.NeedsAttention : CommandLine.Done;
    }

    private static string HowItGoesOn(Mailing mailing) => mailing.State switch
    {
        MailingState.Paused => $"It is paused; `weeklydigest resume {mailing.Issue}` lets it go on.",
        MailingState.Cancelled => "It is cancelled; what is pending stays unsent.",
        _ => $"It goes on by itself while `weeklydigest serve` runs, or with `weeklydigest send {mailing.Issue}`.",
    };

    // A million rows take some ten seconds.
    private sealed class Lines(CommandRun run, string title) : IProgress<DecisionProgress>
    {
        private long last = run.Host.Time.GetTimestamp();

        public void Report(DecisionProgress value)
        {
            if (run.Host.Time.GetElapsedTime(last) < ReportEvery) return;
            last = run.Host.Time.GetTimestamp();
            run.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{title}: {value.Done} of {value.Total} decided"));
        }
    }
}
