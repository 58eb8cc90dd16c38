using System.CommandLine;
using System.Globalization;
using WeeklyDigest.Audience;
using WeeklyDigest.Feedback;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Commands;

/// <summary>
/// <c>subscribers unsubscribe ADDRESS|--list NAME</c>: ends a subscription for good, also in the middle of a send. Who asks to be left out may be no subscriber yet,
/// and stand in a list file that was not read: such an address is kept out from then on. Some mail programs unsubscribe by a mail instead of the link
/// (List-Unsubscribe's mailto form, RFC 2369 section 3.2): its subject says who, whatever address it comes from.
/// </summary>
internal static class SubscribersUnsubscribe
{
    private const int Portion = 1000;

    /// <summary>The command.</summary>
    public static Command Create(CommandEdge edge)
    {
        var who = new Argument<string?>("ADDRESS") { Description = "An e-mail address, or the subject of a mail that unsubscribes (unsubscribe TOKEN).", Arity = ArgumentArity.ZeroOrOne };
        var list = Inputs.List("Instead of an address: everybody on this list; who is on another stays on that.");
        var command = new Command("unsubscribe", "End a subscription; from then on nothing more is sent to the address.") { who, list };
        command.Validators.Add(result =>
        {
            if ((result.GetValue(who) is null) == (result.GetValue(list) is null)) result.AddError("Say who: ADDRESS, or --list NAME.");
        });
        command.SetAction(edge.Run(async (run, parsed, cancel) =>
        {
            var text = parsed.GetValue(who) ?? "";
            var left = Inputs.ReadList(parsed.GetValue(list)) is { } members ? await ByListAsync(run, members, cancel)
                : TokenIn(text) is { } token ? await ByTokenAsync(await run.OpenAsync(cancel), token, cancel) : await ByAddressAsync(run, text, cancel);
            await run.Out.WriteLineAsync(left);
            return CommandLine.Done;
        }));
        return command;
    }

    private static async Task<string> ByAddressAsync(CommandRun run, string text, CancellationToken cancel)
    {
        if (!EmailAddress.TryParse(text, out var wanted)) return await ByStoredTextAsync(run, text, cancel);
        var installation = await run.OpenAsync(cancel);
        return await installation.Database.Subscribers.UnsubscribeAsync(wanted, "command", cancel)
            ? $"{wanted}: unsubscribed."
            : $"{wanted}: was not a subscriber; from now on it is kept out, and no list file brings it in.";
    }

    // What is no address may stand in the database as one all the same, and whoever keeps the lists has to get rid of it.
    private static async Task<string> ByStoredTextAsync(CommandRun run, string text, CancellationToken cancel)
    {
        var installation = await run.OpenAsync(cancel);
        return await installation.Database.Subscribers.UnsubscribeStoredAsync(text, "command", cancel) ? $"{text}: unsubscribed." : throw Inputs.NoAddress(text);
    }

    private static async Task<string> ByTokenAsync(Installation installation, string token, CancellationToken cancel)
    {
        await installation.Unsubscribe.LeaveAsync(token, cancel);
        return await installation.Unsubscribe.LookAsync(token, cancel) switch
        {
            (UnsubscribeResult.Subscriber, { } subscriber) => $"{subscriber.Address}: unsubscribed.",
            (UnsubscribeResult.PreviewLink, _) => throw new RefusedException("That comes from a preview: there is nobody to unsubscribe."),
            _ => throw new RefusedException($"'{token}' is not of one of our messages. Is it complete? Else unsubscribe the address."),
        };
    }

    private static async Task<string> ByListAsync(CommandRun run, ListName list, CancellationToken cancel)
    {
        var installation = await run.OpenAsync(cancel);
        var store = installation.Database.Subscribers;
        var files = installation.SyncLists.Names;
        if (files.Contains(list))
            throw new RefusedException($"Nobody was unsubscribed: the file of the list {list} in the subscribers folder would bring back who stays on another list. Move it out of that folder, and try again.");
        List<ListName> known = [.. (await store.ListNamesAsync(cancel)).Union(files).Order()];
        if (!known.Contains(list)) throw UnknownList.Refusal(list, known);
        await ReadFilesAsync(run, installation.SyncLists, cancel);
        var (left, stay, unreadable) = (0L, 0L, new List<UnreadableSubscriber>());
        await foreach (var members in store.ExportAsync(list, unreadable.Add, cancel).Chunk(Portion).WithCancellation(cancel))
        {
            foreach (var member in members.Where(member => member is { Status: SubscriberStatus.Active, Suppression: null }))
            {
                if (member.Lists.Count > 1) stay++;
                else if (await store.UnsubscribeAsync(member.Id, "command", cancel)) left++;
            }
            await store.EndMembershipsAsync(list, [.. members.Where(member => member.Lists.Count > 1).Select(member => member.Id)], cancel);
        }
        await UnreadableAddress.WriteAsync(run, unreadable.Where(row => row.Status == SubscriberStatus.Active));
        var others = stay == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"; {stay} {(stay == 1 ? "stays" : "stay")} on another list");
        return string.Create(CultureInfo.InvariantCulture, $"List {list}: {left} unsubscribed{others}.");
    }

    // A list's file may have another name since yesterday, which nobody has read: who is in it is not on this list alone. And nothing takes back what follows.
    private static async Task ReadFilesAsync(CommandRun run, SyncLists folder, CancellationToken cancel)
    {
        var reports = await folder.RunAsync(WantedLists.Every, cancel);
        await ListReports.WriteAsync(run, reports);
        if (reports.Any(report => report.Refusal is not null))
            throw new RefusedException("Nobody was unsubscribed: who is in a file that cannot be used may be on another list. Mend it, or move a file that is no list out of the subscribers folder, and try again.");
    }

    private static string? TokenIn(string text) => text.Trim().Split(' ')[^1] is { Length: LinkTokens.TokenLength } word && !word.Contains('@', StringComparison.Ordinal) ? word : null;
}
