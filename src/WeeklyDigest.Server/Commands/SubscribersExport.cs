using System.CommandLine;
using WeeklyDigest.Audience;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Commands;

/// <summary>
/// <c>subscribers export [--list NAME] [--all]</c>: CSV on stdout. Active subscribers only, with the columns of an import, so that the file
/// can be imported as it is; with <c>--all</c> everybody, with the columns status and lists. Streamed twice: once for the columns.
/// </summary>
internal static class SubscribersExport
{
    /// <summary>The command.</summary>
    public static Command Create(CommandEdge edge)
    {
        var list = Inputs.List("Only members of this list.");
        var all = new Option<bool>("--all") { Description = "Also those who left, bounced or are pending; adds the columns status and lists. Not for importing." };
        var spreadsheet = new Option<bool>("--for-spreadsheet") { Description = "Put an apostrophe before values that a spreadsheet would run as a formula. Not for importing." };
        var command = new Command("export", "Print subscribers as CSV (RFC 4180).") { list, all, spreadsheet };
        command.SetAction(edge.Run(async (run, parsed, cancel) =>
        {
            var installation = await run.OpenAsync(cancel);
            var store = installation.Database.Subscribers;
            var name = await KnownAsync(store, Inputs.ReadList(parsed.GetValue(list)), cancel);
            await WriteAsync(run, new Csv(run.BeginRows(), parsed.GetValue(spreadsheet)), store, name, parsed.GetValue(all), cancel);
            return CommandLine.Done;
        }));
        return command;
    }

    private static async Task<ListName?> KnownAsync(ISubscriberStore store, ListName? list, CancellationToken cancel)
    {
        if (list is null) return null;
        var lists = await store.ListNamesAsync(cancel);
        return lists.Contains(list) ? list : throw UnknownList.Refusal(list, lists);
    }

    private static async Task WriteAsync(CommandRun run, Csv csv, ISubscriberStore store, ListName? list, bool all, CancellationToken cancel)
    {
        bool IsWanted(SubscriberStatus status) => all || status == SubscriberStatus.Active;
        var attributes = new SortedSet<string>(StringComparer.Ordinal);
        await foreach (var subscriber in store.ExportAsync(list, _ => { }, cancel))
            if (IsWanted(subscriber.Status)) attributes.UnionWith(subscriber.Attributes.Keys);
        await csv.WriteAsync(["email", "name", .. all ? ["status", "lists"] : Array.Empty<string>(), .. attributes]);
        var unreadable = new List<UnreadableSubscriber>();
        await foreach (var subscriber in store.ExportAsync(list, unreadable.Add, cancel))
            if (IsWanted(subscriber.Status)) await csv.WriteAsync(Record(subscriber, attributes, all));
        await run.Out.FlushAsync(cancel);
        await UnreadableAddress.WriteAsync(run, unreadable.Where(row => IsWanted(row.Status)));
    }

    private static IEnumerable<string?> Record(Subscriber subscriber, IEnumerable<string> attributes, bool all)
    {
        string?[] status = all ? [subscriber.Status.ToString().ToLowerInvariant(), string.Join(' ', subscriber.Lists)] : [];
        return [subscriber.Address.Value, subscriber.Name, .. status, .. attributes.Select(name => subscriber.Attributes.GetValueOrDefault(name))];
    }
}

/// <summary>Names those whose address is none any more, and how to get rid of them.</summary>
internal static class UnreadableAddress
{
    /// <summary>Writes a line for each.</summary>
    public static async Task WriteAsync(CommandRun run, IEnumerable<UnreadableSubscriber> passedOver)
    {
        foreach (var (stored, problem, _) in passedOver)
            await run.Error.WriteLineAsync($"Passed over: '{stored}' in the database is not an address: {problem}. To end the subscription: `weeklydigest subscribers unsubscribe \"{stored}\"`.");
    }
}

/// <summary>Says that there is no such list, and which there are.</summary>
internal static class UnknownList
{
    /// <summary>The refusal.</summary>
    public static RefusedException Refusal(ListName list, IReadOnlyList<ListName> known)
        => new($"There is no list {list}; there are: {(known.Count == 0 ? "none" : string.Join(", ", known))}.");
}
