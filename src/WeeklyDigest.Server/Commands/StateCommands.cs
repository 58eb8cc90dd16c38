using System.CommandLine;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Commands;

/// <summary><c>pause</c>, <c>resume</c> and <c>cancel ISSUE</c>: the editor's hand on a mailing. Takes effect in every process that delivers it.</summary>
internal static class StateCommands
{
    /// <summary>pause ISSUE.</summary>
    public static Command Pause(CommandEdge edge) => Create(edge, "pause", "Hold a mailing; what is on the wire is finished.",
        [MailingState.Scheduled, MailingState.Sending], (_, _) => MailingState.Paused, "by the editor");

    /// <summary>resume ISSUE.</summary>
    public static Command Resume(CommandEdge edge) => Create(edge, "resume", "Let a paused mailing go on.",
        [MailingState.Paused], (mailing, now) => mailing.Resumed(now), null);

    /// <summary>cancel ISSUE.</summary>
    public static Command Cancel(CommandEdge edge) => Create(edge, "cancel", "End a mailing for good; what is not sent stays unsent.",
        [MailingState.Scheduled, MailingState.Sending, MailingState.Paused], (_, _) => MailingState.Cancelled, "by the editor");

    private static Command Create(
        CommandEdge edge, string name, string description, MailingState[] from, Func<Mailing, DateTimeOffset, MailingState> to, string? reason)
    {
        var issue = Inputs.Issue();
        var command = new Command(name, description) { issue };
        command.SetAction(edge.Run(async (run, parsed, cancel) =>
        {
            var installation = await run.OpenAsync(cancel);
            var store = installation.Database.Mailings;
            var mailing = await Mailings.FindAsync(run, installation, parsed.GetRequiredValue(issue), cancel);
            var changing = name == "resume" && await HoldsBackAsync(installation, mailing, cancel) ? [.. from, MailingState.Sending] : from;
            var at = run.Host.Time.GetUtcNow();
            if (!await store.ChangeStateAsync(mailing.Id, changing, to(mailing, at), reason, at, cancel))
                throw await RefusalAsync(store, mailing, name, from, cancel);
            // It is done, also for who was asked to end meanwhile.
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
            && (await installation.Database.Mailings.AlarmsAsync(mailing.Id, 1, cancel) is [{ StoppedAt: not null }] || (await installation.RelaysAside.ReadAsync(cancel)).Any(aside => !RelayAside.IsDown(aside.Reason)));

    private static async Task<RefusedException> RefusalAsync(IMailingStore store, Mailing mailing, string name, MailingState[] from, CancellationToken cancel)
    {
        var now = (await store.FindAsync(mailing.Id, cancel) ?? mailing).State;
        if (from.Contains(now)) return new RefusedException($"{mailing.Issue} was changed by somebody else at this moment; try again.");
        var state = now.ToString().ToLowerInvariant();
        return new RefusedException($"{mailing.Issue} is {state}; {name} works on one that is {string.Join(" or ", from.Select(one => one.ToString().ToLowerInvariant()))}.");
    }
}
