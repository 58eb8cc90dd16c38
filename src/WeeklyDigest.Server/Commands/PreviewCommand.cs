using System.CommandLine;
using WeeklyDigest.Audience;
using WeeklyDigest.Issues;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Commands;

/// <summary><c>preview ISSUE [--to ADDRESS]</c>: the issue to yourself, over the relay, as a subscriber would get it; once it is published, what was published.</summary>
internal static class PreviewCommand
{
    /// <summary>The command.</summary>
    public static Command Create(CommandEdge edge)
    {
        var issue = Inputs.Issue();
        var to = new Option<string?>("--to") { HelpName = "ADDRESS", Description = "Where to. Default: Newsletter:Editor." };
        var command = new Command("preview", "Send an issue to yourself, marked as preview.") { issue, to };
        command.SetAction(edge.Run((run, parsed, cancel) => RunAsync(run, parsed.GetRequiredValue(issue), parsed.GetValue(to), cancel)));
        return command;
    }

    private static async Task<int> RunAsync(CommandRun run, string name, string? toText, CancellationToken cancel)
    {
        var recipient = Inputs.ReadMailbox(toText);
        var installation = await run.OpenAsync(cancel);
        var (what, reply) = await FindMailingAsync(run, installation, name, cancel) is { } mailing
            ? ($"{mailing.Issue}: preview of what was published", await OfMailingAsync(run, installation, mailing, name, recipient, cancel))
            : await OfFileAsync(installation, run.Issue(name), recipient, cancel);
        await run.Out.WriteLineAsync($"{what} sent to {(recipient ?? installation.Newsletter.Editor)?.Address}: {reply}");
        if (run.Settings.Relays.Count == 0) await run.Out.WriteLineAsync($"No relay is set; the built-in inbox has it: {run.Settings.Paths.Inbox}");
        return CommandLine.Done;
    }

    // Null: nothing of the issue is on its way, and its file is what can be previewed.
    private static async Task<Mailing?> FindMailingAsync(CommandRun run, Installation installation, string name, CancellationToken cancel)
    {
        if (await Mailings.NamedAsync(run, installation, name, cancel) is { IsOver: false } named) return named;
        return IssueSlug.TryParse(run.Issue(name).Slug, out var slug) && await installation.Database.Mailings.FindAsync(slug, cancel) is { IsOver: false } mailing ? mailing : null;
    }

    private static async Task<string> OfMailingAsync(CommandRun run, Installation installation, Mailing mailing, string name, Mailbox? recipient, CancellationToken cancel)
    {
        var content = await installation.Database.Mailings.ContentAsync(mailing.Id, cancel);
        var reply = await installation.PreviewIssue.RunAsync(mailing.Issue, content, recipient, cancel);
        var change = await installation.FileChanges.OfAsync(mailing, Mailings.FileOf(run, mailing, name), cancel);
        if (change != FileChange.None) await run.Error.WriteLineAsync(FileWords.Line(mailing, change));
        return reply;
    }

    private static async Task<(string What, string Reply)> OfFileAsync(Installation installation, IssueFile file, Mailbox? recipient, CancellationToken cancel)
        => ($"{file.Slug}: preview", await installation.PreviewIssue.RunAsync(file, recipient, cancel));
}
