using System.CommandLine;
using WeeklyDigest.Audience;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Commands;

/// <summary><c>subscribers add ADDRESS [--name NAME] [--list NAME] [--attribute KEY=VALUE]</c>: one subscriber, as an import of one row.</summary>
internal static class SubscribersAdd
{
    private const int LongestText = 200;

    /// <summary>The command.</summary>
    public static Command Create(CommandEdge edge)
    {
        var address = Inputs.Address();
        var name = new Option<string?>("--name") { HelpName = "NAME", Description = "The subscriber's name." };
        var list = Inputs.List("The list to join; created when missing. Default: the only list there is.");
        var attributes = new Option<string[]>("--attribute") { HelpName = "KEY=VALUE", Description = "An attribute for merge slots; may be given several times." };
        var command = new Command("add", "Add a subscriber, or change name and attributes. Who bounced comes back; who unsubscribed or complained does not.") { address, name, list, attributes };
        command.SetAction(edge.Run(async (run, parsed, cancel) =>
        {
            var wanted = Inputs.ReadAddress(parsed.GetRequiredValue(address));
            var values = ReadAttributes(parsed.GetValue(attributes) ?? []);
            var called = ReadText("name", parsed.GetValue(name));
            var named = Inputs.ReadList(parsed.GetValue(list));
            var installation = await run.OpenAsync(cancel);
            var store = installation.Database.Subscribers;
            var joined = named ?? await OnlyListAsync(store, cancel);
            var result = await store.AddAsync(joined, wanted, called, values, cancel);
            if (result.Outcome == AddOutcome.KeptOut) throw Refusal(wanted, result);
            var before = result.Outcome != AddOutcome.BroughtBack ? ""
                : $" It had bounced{(result.Suppression is { } bounce ? $", {SuppressionWords.Since(bounce)}" : "")}, and gets mail again.";
            await run.Out.WriteLineAsync($"{wanted}: on list {joined}.{before}");
            return CommandLine.Done;
        }));
        return command;
    }

    private static async Task<ListName> OnlyListAsync(ISubscriberStore store, CancellationToken cancel)
        => await store.ListNamesAsync(cancel) is [var only]
            ? only
            : throw new RefusedException("Say which list: --list NAME.");

    private static RefusedException Refusal(EmailAddress address, AddResult result)
    {
        var why = result.Suppression is { } suppression
            ? $"{suppression.Reason} {SuppressionWords.Since(suppression)}"
            : result.Subscriber!.Status.ToString().ToLowerInvariant();
        return new RefusedException($"{address} is {why} and stays out; only an address that bounced can be added again.");
    }

    private static string? ReadText(string what, string? text)
    {
        var trimmed = text?.Trim() ?? "";
        if (trimmed.Any(char.IsControl)) throw new RefusedException($"The {what} holds a control character; write it in one line.");
        if (trimmed.Length > LongestText) throw new RefusedException($"The {what} is longer than {LongestText} characters.");
        return trimmed.Length == 0 ? null : trimmed;
    }

    private static Dictionary<string, string> ReadAttributes(string[] pairs)
    {
        var attributes = new Dictionary<string, string>();
        foreach (var pair in pairs)
        {
            var parts = pair.Split('=', 2);
            var key = parts[0].Trim().ToLowerInvariant();
            if (parts.Length != 2 || key.Length is 0 or > 64 || !key.All(c => char.IsLetterOrDigit(c) || c is '_' or '.' or '-'))
                throw new RefusedException($"'{pair}' is not KEY=VALUE; a key has 1 to 64 letters, digits, dots, dashes and underscores.");
            if (ReadText($"attribute {key}", parts[1]) is { } value) attributes[key] = value;
        }
        return attributes;
    }
}
