using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Publishing;

/// <summary>What is left of a mailing for a run.</summary>
internal enum RunRest
{
    /// <summary>Nothing now; perhaps deferred rows that come due later. The run is over.</summary>
    Nothing,

    /// <summary>Rows that can be claimed: claim again.</summary>
    Claimable,

    /// <summary>Rows that another process holds, or this one since before the mailing was resumed.</summary>
    HeldByOthers,
}

/// <summary>Decides when a run is over, and what the mailing's state is then.</summary>
internal sealed class MailingEnd(long mailingId, RunEnvironment environment, string owner, RunCallers callers, RunStop stop)
{
    /// <summary>Domains named in a mailing's reason.</summary>
    private const int MaxNamed = 3;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly HeldBackDomains heldBack = new(mailingId, environment.Mailings, environment.Domains, environment.Time);
    private Balance? before;
    private long unchangedSince;
    private volatile LedgerTrouble? unread;

    /// <summary>Ends when nothing is under way of what the run began before the mailing was paused and resumed.</summary>
    public Task Before { get; set; } = Task.CompletedTask;

    /// <summary>Why it cannot be read how the mailing stands, or null.</summary>
    public LedgerTrouble? Unread => unread;

    /// <summary>Takes back what an earlier run of this process left behind. Only while nothing of ours is under way.</summary>
    public Task SweepAsync()
        => environment.Writer
            .InTurnAsync(ledger => ledger.RecoverAsync(owner, environment.Options.OnUncertain, environment.Time.GetUtcNow(), CancellationToken.None))
            .WaitAsync(stop.RecordToken);

    /// <summary>
    /// What is left after a claim that gave nothing. Rows that another process holds are waited for: it may die and give them back.
    /// Asked only while nothing of ours is under way, but for what the run began before its mailing was resumed: that is held by another to who asks.
    /// </summary>
    public async Task<RunRest> LookAsync()
    {
        // Closed first: whoever joined before has published before, so this look sees their rows; whoever comes after starts a new run.
        callers.Close();
        if (Before.IsCompleted) await SweepAsync();
        var mailing = await PatientlyAsync(() => environment.Mailings.FindAsync(mailingId, CancellationToken.None));
        if (mailing?.State != MailingState.Sending && Before.IsCompleted) return RunRest.Nothing;
        // Paused, and perhaps only for a moment, which the watch does not see: an answer from before keeps the run, and so its feed.
        if (mailing?.State != MailingState.Sending) return Reopened(RunRest.HeldByOthers);
        var left = await PatientlyAsync(() => environment.Mailings.RestAsync(mailingId, CancellationToken.None));
        var rest = left.Pending || left.NextAttemptAt <= environment.Time.GetUtcNow() ? RunRest.Claimable
            : left.Held ? RunRest.HeldByOthers
            : RunRest.Nothing;
        return rest == RunRest.Nothing ? rest : Reopened(rest);
    }

    private RunRest Reopened(RunRest rest)
    {
        callers.Reopen();
        return rest;
    }

    /// <summary>
    /// Whether nothing is left to send but so many rows that this run holds. What others hold is left as well, unless they get no further either:
    /// two leases are enough to take back what a dead process held.
    /// </summary>
    public async Task<bool> IsAllThatIsLeftAsync(int held)
    {
        var rest = await PatientlyAsync(() => environment.Mailings.RestAsync(mailingId, CancellationToken.None));
        if (rest is not { Pending: false, NextAttemptAt: null }) return false;
        var balance = await PatientlyAsync(() => environment.Mailings.BalanceAsync(mailingId, CancellationToken.None));
        if (balance.Claimed + balance.Sending <= held) return true;
        if (balance != before) (before, unchangedSince) = (balance, environment.Time.GetTimestamp());
        return environment.Time.GetElapsedTime(unchangedSince) > 2 * environment.Options.Lease;
    }

    /// <summary>
    /// A relay that refused everybody it was asked for, in whichever run, is doubted also when these were too few to be a row that is too long. What
    /// other runs have sent of the mailing may have gone over any relay: then nothing is said. Where nobody got it over any relay, all of them are doubted
    /// together and the mailing pauses; but not once more for refusals that were taken back before this run, which the editor has left at that.
    /// </summary>
    public async Task DoubtAsync(FailureRows failures, RunStop stretch)
    {
        var balance = await PatientlyAsync(() => environment.Mailings.BalanceAsync(mailingId, CancellationToken.None));
        if (balance.Open > 0 || balance.Failed == 0 || balance.Sent != failures.Accepted) return;
        var refusals = await environment.Writer.InTurnAsync(ledger => ledger.RefusalsAsync(mailingId, CancellationToken.None)).WaitAsync(stop.RecordToken);
        if (balance.Sent == 0 && (failures.HasRefused || refusals.Any(refusal => !refusal.IsPardoned)) && RelayDoubts.EverybodyTogether(refusals) is { } together)
            environment.Doubts.Pause(refusals.Select(refusal => refusal.Relay).Distinct(), together, stretch);
        foreach (var (relay, reason) in RelayDoubts.Everybody(refusals))
            if (!failures.HasAccepted(relay) && environment.Sessions.Relays.FirstOrDefault(known => known.Name == relay) is { } bad) environment.Doubts.SetAsideForAll(bad, reason, stretch);
    }

    /// <summary>Changes the mailing's state in turn with the other writes.</summary>
    public Task<bool> ChangeStateAsync(IReadOnlyCollection<MailingState> from, MailingState to, string? reason)
        => environment.Writer
            .InTurnAsync(_ => environment.Mailings.ChangeStateAsync(mailingId, from, to, reason, environment.Time.GetUtcNow(), CancellationToken.None))
            .WaitAsync(stop.RecordToken);

    /// <summary>Pauses the mailing when the run has found that it has to be paused.</summary>
    public async Task PauseAsync(RunStop stretch)
    {
        if (stretch.TakePauseReason() is { } reason) await ChangeStateAsync([MailingState.Sending], MailingState.Paused, reason);
    }

    /// <summary>The end: a mailing with no open row is sent; one that has only rows of stopped domains left is paused, for the editor to resume.</summary>
    public async Task<DeliveryRunResult> ResultAsync()
    {
        var balance = await PatientlyAsync(() => environment.Mailings.BalanceAsync(mailingId, CancellationToken.None));
        if (balance.Open == 0) balance = await FinishAsync(balance);
        else if (await PatientlyAsync(() => environment.Mailings.RestAsync(mailingId, CancellationToken.None)) is { Pending: false, Held: false, NextAttemptAt: null, Stopped: true })
            await ChangeStateAsync([MailingState.Sending], MailingState.Paused, await StopsAsync());
        var mailing = await PatientlyAsync(() => environment.Mailings.FindAsync(mailingId, CancellationToken.None)) ?? throw new RefusedException($"There is no mailing {mailingId}.");
        var rest = await PatientlyAsync(() => environment.Mailings.RestAsync(mailingId, CancellationToken.None));
        return new DeliveryRunResult(mailing.State, mailing.StateReason, balance, rest.NextAttemptAt) { LastAttemptAt = rest.LastAttemptAt };
    }

    /// <summary>How the mailing stands, for whoever watches the run.</summary>
    public async Task<Standing> StandingAsync(CancellationToken cancel)
    {
        var balance = await environment.Mailings.BalanceAsync(mailingId, cancel);
        var rest = await environment.Mailings.RestAsync(mailingId, cancel);
        var leftAlone = rest.Stopped ? await environment.Mailings.LeftAloneAsync(mailingId, cancel) : 0;
        return new Standing(balance) { LastAttemptAt = rest.LastAttemptAt, LeftAlone = leftAlone, HeldBack = await heldBack.ReadAsync(balance.Open - leftAlone, environment.Writer.UsableFor, cancel) };
    }

    /// <summary>Domains whose refusals in a row a run goes on counting.</summary>
    /// <param name="most">So many of them.</param>
    public Task<IReadOnlyList<DomainAlarm>> AlarmsAsync(int most) => PatientlyAsync(() => environment.Mailings.UncountedAlarmsAsync(mailingId, most, CancellationToken.None));

    private async Task<string> StopsAsync()
    {
        var alarms = await environment.Mailings.UncountedAlarmsAsync(mailingId, MaxNamed + 1, CancellationToken.None);
        var stops = alarms.Where(alarm => alarm.StoppedAt is not null).ToList();
        return string.Join(" ", stops.Take(MaxNamed).Select(alarm => DomainRefusals.Words(alarm.Domain, alarm.InARow, alarm.Reply)))
            + (stops.Count > MaxNamed ? " So are others." : "");
    }

    // Another list may be added between counting and finishing: counted again, and opened again if so.
    private async Task<Balance> FinishAsync(Balance balance)
    {
        if (!await ChangeStateAsync([MailingState.Sending], MailingState.Sent, null)) return balance;
        var after = await PatientlyAsync(() => environment.Mailings.BalanceAsync(mailingId, CancellationToken.None));
        if (after.Open > 0) await ChangeStateAsync([MailingState.Sent], MailingState.Sending, null);
        return after;
    }

    // A server that is away for a moment must not end a run that is about to finish: as patient as a write, but in no write's way.
    private async Task<T> PatientlyAsync<T>(Func<Task<T>> read)
    {
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            var began = environment.Time.GetTimestamp();
            try
            {
                var known = await read().WaitAsync(stop.RecordToken);
                unread = null;
                return known;
            }
            catch (Exception failure) when (LedgerWriter.IsTrouble(failure))
            {
                unread = LedgerTrouble.Of(failure, environment.Time.GetUtcNow());
            }
            // A count that the database breaks off after long is work for it: half of the time is others'.
            var took = environment.Time.GetElapsedTime(began);
            await Task.Delay(took > pause ? took : pause, environment.Time, stop.RecordToken);
        }
    }
}
