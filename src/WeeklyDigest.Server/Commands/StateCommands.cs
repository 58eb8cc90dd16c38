using System.CommandLine;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Commands;

/// <summary><c>pause</c>, <c>resume</c> and <c>cancel ISSUE</c>: the editor's hand on a mailing. Takes effect in every process that delivers it.</summary>
internal static class StateCommands
{
    /// <summary>pause ISSUE.</summary>
    public static Command Pause(CommandEdge edge) => Create(edge, EditorsChange.Pause, "Hold a mailing; what is on the wire is finished.");

    /// <summary>resume ISSUE.</summary>
    public static Command Resume(CommandEdge edge) => Create(edge, EditorsChange.Resume, "Let a paused mailing go on.");

    /// <summary>cancel ISSUE.</summary>
    public static Command Cancel(CommandEdge edge) => Create(edge, EditorsChange.Cancel, "End a mailing for good; what is not sent stays unsent.");

    private static Command Create(CommandEdge edge, EditorsChange change, string description)
    {
        var issue = Inputs.Issue();
        var command = new Command(change.Name, description) { issue };
        command.SetAction(edge.Run(async (run, parsed, cancel) =>
        {
            var installation = await run.OpenAsync(cancel);
            var store = installation.Database.Mailings;
            var mailing = await Mailings.FindAsync(run, installation, parsed.GetRequiredValue(issue), cancel);
            IReadOnlyList<MailingState> from = change == EditorsChange.Resume && await HoldsBackAsync(installation, mailing, cancel) ? [.. change.From, MailingState.Sending] : change.From;
            var at = run.Host.Time.GetUtcNow();
            if (!await store.ChangeStateAsync(mailing.Id, from, change.To(mailing, at), change.Reason, at, cancel))
                throw change.Refusal(mailing.Issue, (await store.FindAsync(mailing.Id, cancel) ?? mailing).State);
            // It is done: who is asked to end now is told so all the same.
            var now = await store.FindAsync(mailing.Id, CancellationToken.None) ?? mailing;
            await run.Out.WriteLineAsync($"{now.Issue}: {BalanceView.StateOf(now)}");
            if (now.State == MailingState.Sending) await run.Out.WriteLineAsync($"It goes on by itself while `weeklydigest serve` runs, or with `weeklydigest send {now.Issue}`.");
            return CommandLine.Done;
        }));
        return command;
    }

    // A domain or a relay that refuses is left alone while the mailing goes on elsewhere; resuming tries it again.
    private static async Task<bool> HoldsBackAsync(Installation installation, Mailing mailing, CancellationToken cancel)
        => mailing.State == MailingState.Sending
            && (await installation.Database.Mailings.UncountedAlarmsAsync(mailing.Id, 1, cancel) is [{ StoppedAt: not null }] || (await installation.RelaysAside.ReadAsync(cancel)).Any(aside => aside.Kind != RelayAsideKind.Down));
}
