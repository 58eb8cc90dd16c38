using WeeklyDigest.Deliveries;
using WeeklyDigest.Feedback;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Publishing;

/// <summary>The delivery engine: one per process. Callers that ask for a mailing that is already running join that run.</summary>
public sealed class DeliveryEngine : IAsyncDisposable
{
    private readonly Lock gate = new();
    private readonly Dictionary<long, (MailingRun Run, Task<DeliveryRunResult> Result)> runs = [];
    private readonly RunEnvironment environment;
    private volatile bool hasTidied;
    private bool isDisposed;

    /// <summary>Puts the engine together; nothing runs yet.</summary>
    /// <param name="mailings">The mailings.</param>
    /// <param name="ledger">The ledger. Only the engine writes to it while it lives.</param>
    /// <param name="relays">What is known of the relays.</param>
    /// <param name="sessions">The connections to the relays; not disposed with the engine.</param>
    /// <param name="tokens">Makes links and Message-IDs.</param>
    /// <param name="signer">Signs messages; null: they go out unsigned.</param>
    /// <param name="options">Leases, retries, pauses.</param>
    /// <param name="owner">This process; not disposed with the engine.</param>
    /// <param name="time">The clock.</param>
    /// <param name="random">Spreads retries.</param>
    /// <param name="isShared">Whether several machines may send a mailing.</param>
    /// <param name="warn">Told, in one line, what somebody should look at: a receiving domain that refuses a mailing. Null: nobody is told.</param>
    public DeliveryEngine(
        IMailingStore mailings,
        ILedger ledger,
        IRelayStore relays,
        SessionPool sessions,
        LinkTokens tokens,
        DkimSigner? signer,
        DeliveryOptions options,
        ProcessOwner owner,
        TimeProvider time,
        Random random,
        bool isShared = false,
        Action<string>? warn = null)
    {
        var clock = new ClockSteadiness(time);
        var machine = isShared ? owner.Machine : null;
        environment = new RunEnvironment(
            mailings,
            new LedgerWriter(ledger, time),
            sessions,
            new RelayNotes(sessions, relays, time, machine),
            new Resumptions(),
            tokens,
            signer,
            options,
            new DeliveryVerdicts(new RetrySchedule(options, random, clock), options.OnUncertain),
            owner,
            machine,
            new DomainGate(options.Domains, sessions.Connections, time),
            RecoverAsync,
            warn ?? (_ => { }),
            clock,
            time);
    }

    /// <summary>Why the ledger cannot be written at the moment, or null. A server that looks after its mailings finds out within seconds, also while nothing is sent.</summary>
    public LedgerTrouble? Trouble => environment.Writer.Trouble;

    /// <summary>The same as the progress of a run tells it.</summary>
    public string? TroubleNotice => Trouble is { } trouble ? RunWatch.Unusable(trouble) : null;

    /// <summary>
    /// Delivers a mailing until nothing is pending or due; returns with deferred rows left. A mailing that is paused, cancelled, sent
    /// or not due yet returns at once. Rows that another process holds are waited for. While no relay can be reached it goes on trying.
    /// </summary>
    /// <param name="mailingId">The mailing.</param>
    /// <param name="progress">Told about once a second, and at the end.</param>
    /// <param name="cancel">
    /// Drains: what is being sent is finished, what is claimed is given back; then throws OperationCanceledException. A run that
    /// others wait for goes on for them.
    /// </param>
    /// <exception cref="StorageException">The ledger is damaged. While it is only locked, full or away, the run waits, and nothing is handed over.</exception>
    public async Task<DeliveryRunResult> RunAsync(long mailingId, IProgress<DeliveryProgress>? progress, CancellationToken cancel)
    {
        while (true)
        {
            cancel.ThrowIfCancellationRequested();
            var (run, result, joined) = Join(mailingId, progress);
            if (joined) return await WaitAsync(run, result, progress, cancel);
            // That run is about to end: wait for it, however it ends, and start another.
            await Task.WhenAny(result).WaitAsync(cancel);
        }
    }

    /// <summary>
    /// Gives back what dead processes of this machine held, and what a process elsewhere held past its lease. That one is only given up when this
    /// process could use the ledger for as long as a lease: a database that was away was so to the other one too, which has answers to record. So
    /// with what this process holds for a mailing that it does not deliver any more. And cuts the waits of those whom a wrong clock has put off for longer than
    /// <see cref="DeliveryOptions.MaxRetryDelay"/>: no run may be there to see them.
    /// </summary>
    /// <returns>Who holds rows now, as far as it lives; this process among them.</returns>
    public async Task<IReadOnlyList<Sender>> RecoverAsync(CancellationToken cancel)
    {
        var now = environment.Time.GetUtcNow();
        var (senders, dead) = (new List<Sender>(), new List<string>());
        var files = hasTidied ? [] : environment.Owner.FilesOfDead();
        var holders = await environment.Writer.InTurnAsync(ledger => ledger.HoldersAsync(cancel)).WaitAsync(cancel);
        // A process that was killed while it had nothing to do is no holder, and nobody else asks for its file.
        environment.Owner.ForgetAllBut(files, holders.Select(holder => holder.Owner));
        hasTidied = true;
        foreach (var holder in holders)
        {
            if (environment.Owner.IsOurs(holder.Owner) && await SweepAsync(holder.Owner, cancel)) continue;
            var life = environment.Owner.LifeOf(holder.Owner);
            if (life == OwnerLife.Alive || (life == OwnerLife.Unknown && (holder.LeaseUntil > now || !MayJudge)))
            {
                senders.Add(environment.Owner.IsOurs(holder.Owner) ? Sender.Of(holder) with { IsThisProcess = true }
                    : life == OwnerLife.Alive ? Sender.Of(holder).WithItsStop()
                    : Sender.Of(holder));
                continue;
            }
            if (life == OwnerLife.Dead && !await SettleAsync(holder.Owner, now, cancel)) continue;
            await environment.Writer.InTurnAsync(Recover(holder.Owner, life, cancel)).WaitAsync(cancel);
            if (life == OwnerLife.Dead) dead.Add(holder.Owner);
        }
        // What it was refused last, by a relay that refuses everybody: no run may be there to see it.
        if (dead.Count > 0) await environment.Doubts.SweepAsync(cancel);
        if (dead.Count > 0) await ForgetAsync(dead, cancel);
        await environment.FarAttempts.LookAsync(cancel);
        // The progress tells it as well, where somebody looks at one.
        foreach (var words in environment.Stopped.Note(senders)) environment.Warn(words);
        return senders;
    }

    /// <summary>Drains all runs: within about ten seconds, or when the ledger has answered what it is asked by then.</summary>
    public async ValueTask DisposeAsync()
    {
        List<Task> ending;
        lock (gate)
        {
            isDisposed = true;
            foreach (var (run, _) in runs.Values) run.Drain();
            ending = [.. runs.Values.Select(entry => (Task)entry.Result)];
        }
        await Task.WhenAny(Task.WhenAll(ending));
        await environment.Writer.DisposeAsync();
    }

    // What a claim took that a drained run had not waited for. The run's own writes were before this turn; one that begins now has its turns after it.
    private Task<bool> SweepAsync(string owner, CancellationToken cancel)
        => environment.Writer.InTurnAsync(async ledger =>
        {
            lock (gate)
            {
                if (runs.ContainsKey(Sender.PartsOf(owner).MailingId)) return false;
            }
            await ledger.RecoverAsync(owner, environment.Options.OnUncertain, environment.Time.GetUtcNow(), CancellationToken.None);
            return true;
        }).WaitAsync(cancel);

    // For others it is as long as for us that the ledger can be used.
    private bool MayJudge => environment.Writer.UsableFor >= environment.Options.Lease;

    // Asked again when it is tried again: that the ledger cannot be written may be found out with this very change. Who only was not heard of may be by now.
    private Func<ILedger, Task<RecoveredRows>> Recover(string owner, OwnerLife life, CancellationToken cancel)
        => ledger => life == OwnerLife.Dead ? ledger.RecoverAsync(owner, environment.Options.OnUncertain, environment.Time.GetUtcNow(), cancel)
            : MayJudge ? ledger.RecoverLapsedAsync(owner, environment.Options.OnUncertain, environment.Time.GetUtcNow(), cancel)
            : Task.FromResult(new RecoveredRows(0, 0, 0));

    // A process that worked on several mailings is several holders, and one of them was passed over if another process looked at it in that moment: the
    // file goes when nothing of any is left.
    private async Task ForgetAsync(IReadOnlyList<string> dead, CancellationToken cancel)
    {
        var left = await environment.Writer.InTurnAsync(ledger => ledger.HoldersAsync(cancel)).WaitAsync(cancel);
        environment.Owner.Forget(dead, left.Select(holder => holder.Owner));
    }

    // What a process knew when it died and the ledger does not. Dying here: the file is there still, and the rest is settled next time.
    private async Task<bool> SettleAsync(string owner, DateTimeOffset now, CancellationToken cancel)
    {
        Handovers? handovers;
        try
        {
            handovers = environment.Owner.HandoversOf(owner);
        }
        catch (IOException)
        {
            // Another process is at it, or has done so.
            return false;
        }
        if (handovers is null) return true;
        var sending = await environment.Writer.InTurnAsync(ledger => ledger.SendingAsync(owner, cancel)).WaitAsync(cancel);
        var writes = sending.SelectMany(delivery => handovers.Of(delivery) is { } outcome ? environment.Verdicts.Of(delivery, outcome, now) : []);
        await environment.Writer.WriteAsync([.. writes]).WaitAsync(cancel);
        return true;
    }

    private (MailingRun Run, Task<DeliveryRunResult> Result, bool Joined) Join(long mailingId, IProgress<DeliveryProgress>? progress)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            if (runs.TryGetValue(mailingId, out var entry)) return (entry.Run, entry.Result, entry.Run.Callers.TryJoin(progress));
            var run = new MailingRun(mailingId, environment, progress);
            var result = Task.Run(() => RunToEndAsync(mailingId, run));
            runs.Add(mailingId, (run, result));
            return (run, result, true);
        }
    }

    private async Task<DeliveryRunResult> RunToEndAsync(long mailingId, MailingRun run)
    {
        try
        {
            return await run.RunAsync();
        }
        finally
        {
            lock (gate) runs.Remove(mailingId);
            run.Dispose();
        }
    }

    private static async Task<DeliveryRunResult> WaitAsync(MailingRun run, Task<DeliveryRunResult> result, IProgress<DeliveryProgress>? progress, CancellationToken cancel)
    {
        try
        {
            return await result.WaitAsync(cancel);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            if (run.Callers.Leave(progress)) await Task.WhenAny(result);
            throw;
        }
    }
}
