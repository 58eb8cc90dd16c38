using System.CommandLine;
using System.Globalization;
using WeeklyDigest.Audience;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Commands;

/// <summary><c>subscribers show [ADDRESS] [--json]</c>: one subscriber; without an address, the lists.</summary>
internal static class SubscribersShow
{
    /// <summary>The command.</summary>
    public static Command Create(CommandEdge edge)
    {
        var address = new Argument<string?>("ADDRESS") { Description = "The subscriber; without one, the lists with their members.", Arity = ArgumentArity.ZeroOrOne };
        var json = Inputs.Json();
        var command = new Command("show", "Show a subscriber, or the lists.") { address, json };
        command.SetAction(edge.Run(async (run, parsed, cancel) =>
        {
            var installation = await run.OpenAsync(cancel);
            if (parsed.GetValue(address) is { } one) await OneAsync(run, installation.Database.Subscribers, Inputs.ReadAddress(one), parsed.GetValue(json), cancel);
            else await ListsAsync(run, await installation.Database.Subscribers.ListsAsync(cancel), parsed.GetValue(json));
            return CommandLine.Done;
        }));
        return command;
    }

    private static async Task OneAsync(CommandRun run, ISubscriberStore store, EmailAddress address, bool json, CancellationToken cancel)
    {
        var found = await store.FindAsync(address, cancel) ?? throw NoSubscriber(address, await store.FindSuppressionAsync(address, cancel));
        var view = new SubscriberView(found.Address.Value, found.Name, found.Status, [.. found.Lists.Select(list => list.Value)], found.Attributes, found.Suppression);
        if (json)
        {
            await Json.WriteAsync(run.Out, view);
            return;
        }
        await run.Out.WriteLineAsync($"{view.Address}: {view.Status.ToString().ToLowerInvariant()}");
        if (view.Name is not null) await run.Out.WriteLineAsync($"  name: {view.Name}");
        if (found.Suppression is { } suppression)
            await run.Out.WriteLineAsync($"  suppressed: {suppression.Reason} {SuppressionWords.Since(suppression)}");
        await run.Out.WriteLineAsync($"  lists: {string.Join(", ", view.Lists)}");
        foreach (var (key, value) in view.Attributes.OrderBy(pair => pair.Key, StringComparer.Ordinal)) await run.Out.WriteLineAsync($"  {key}: {value}");
    }

    private static RefusedException NoSubscriber(EmailAddress address, Suppression? suppression)
        => new($"{address} is not a subscriber{(suppression is null ? "" : $", and is kept out: {suppression.Reason} {SuppressionWords.Since(suppression)}")}.");

    private static async Task ListsAsync(CommandRun run, IReadOnlyList<ListSummary> lists, bool json)
    {
        if (json) await Json.WriteAsync(run.Out, lists.Select(list => new ListView(list.Name.Value, list.Active, list.Total)));
        else if (lists.Count == 0) await run.Out.WriteLineAsync("There is no list yet; put a CSV file into the subscribers folder, or import one.");
        else foreach (var list in lists) await run.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{list.Name}: {list.Active} active of {list.Total}"));
    }
}

/// <summary>Since when an address is suppressed, and by what.</summary>
internal static class SuppressionWords
{
    /// <summary>To follow the reason. The source is what told it, such as "command" or "unsubscribe link", or a relay's own words, which are a sentence.</summary>
    public static string Since(Suppression suppression) => string.Create(CultureInfo.InvariantCulture, $"since {suppression.At:yyyy-MM-dd HH:mm} UTC ({suppression.Source})");
}

/// <summary>The JSON of a subscriber.</summary>
internal sealed record SubscriberView(string Address, string? Name, SubscriberStatus Status, IReadOnlyList<string> Lists, IReadOnlyDictionary<string, string> Attributes, Suppression? Suppression);

/// <summary>The JSON of a list.</summary>
internal sealed record ListView(string List, long Active, long Total);
