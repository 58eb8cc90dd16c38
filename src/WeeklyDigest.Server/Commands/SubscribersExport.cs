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
            await WriteAsync(new Csv(run.Out, parsed.GetValue(spreadsheet)), store, name, parsed.GetValue(all), cancel);
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

    private static async Task WriteAsync(Csv csv, ISubscriberStore store, ListName? list, bool all, CancellationToken cancel)
    {
        bool Wanted(Subscriber subscriber) => all || subscriber.Status == SubscriberStatus.Active;
        var attributes = new SortedSet<string>(StringComparer.Ordinal);
        await foreach (var subscriber in store.ExportAsync(list, cancel))
            if (Wanted(subscriber)) attributes.UnionWith(subscriber.Attributes.Keys);
        await csv.WriteAsync(["email", "name", .. all ? ["status", "lists"] : Array.Empty<string>(), .. attributes]);
        await foreach (var subscriber in store.ExportAsync(list, cancel))
            if (Wanted(subscriber)) await csv.WriteAsync(Record(subscriber, attributes, all));
    }

    private static IEnumerable<string?> Record(Subscriber subscriber, IEnumerable<string> attributes, bool all)
    {
        string?[] status = all ? [subscriber.Status.ToString().ToLowerInvariant(), string.Join(' ', subscriber.Lists)] : [];
        return [subscriber.Address.Value, subscriber.Name, .. status, .. attributes.Select(name => subscriber.Attributes.GetValueOrDefault(name))];
    }
}

/// <summary>Says that there is no such list, and which there are.</summary>
internal static class UnknownList
{
    /// <summary>The refusal.</summary>
    public static RefusedException Refusal(ListName list, IReadOnlyList<ListName> known)
        => new($"There is no list {list}; there are: {(known.Count == 0 ? "none" : string.Join(", ", known))}.");
}
