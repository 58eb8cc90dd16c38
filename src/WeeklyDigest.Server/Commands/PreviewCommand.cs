using System.CommandLine;

namespace WeeklyDigest.Server.Commands;

/// <summary><c>preview ISSUE [--to ADDRESS]</c>: the issue to yourself, over the relay, as a subscriber would get it.</summary>
internal static class PreviewCommand
{
    /// <summary>The command.</summary>
    public static Command Create(CommandEdge edge)
    {
        var issue = Inputs.Issue();
        var to = new Option<string?>("--to") { HelpName = "ADDRESS", Description = "Where to. Default: Newsletter:Editor." };
        var command = new Command("preview", "Send an issue to yourself, marked as preview.") { issue, to };
        command.SetAction(edge.Run(async (run, parsed, cancel) =>
        {
            var recipient = Inputs.ReadMailbox(parsed.GetValue(to));
            var file = run.Issue(parsed.GetRequiredValue(issue));
            var installation = await run.OpenAsync(cancel);
            var reply = await installation.PreviewIssue.RunAsync(file, recipient, cancel);
            await run.Out.WriteLineAsync($"{file.Slug}: preview sent to {(recipient ?? installation.Newsletter.Editor)?.Address}: {reply}");
            if (run.Settings.Relays.Count == 0) await run.Out.WriteLineAsync($"No relay is set; the built-in inbox has it: {run.Settings.Paths.Inbox}");
            return CommandLine.Done;
        }));
        return command;
    }
}
