using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Publishing;

/// <summary>
/// What one connection has to tell the ledger: outcomes, and with them the mark of the delivery that comes next, in one commit. One
/// submission is on its way at a time. Its note names what the ledger may have as being sent.
/// </summary>
internal sealed class LoopWrites(RunParts run, ClaimFeed feed)
{
    private readonly List<LedgerWrite> unwritten = [];
    private LedgerWrite[] submitted = [];
    private Task<IReadOnlyList<LedgerWriteResult>>? writing;
    private LedgerWriteResult last;

    /// <summary>Tells whoever comes after this process what it handed over.</summary>
    public Handovers.Note Note { get; } = run.Owner.TakeNote();

    /// <summary>Whether the ledger knows everything.</summary>
    private bool AreDone => unwritten.Count == 0 && writing is null;

    /// <summary>Whether the submission, if any, has been answered; it is not taken note of before <see cref="Wait"/> or <see cref="WriteAsync"/>.</summary>
    public bool AreAnswered => writing is not { IsCompleted: false };

    /// <summary>For the next submission.</summary>
    public void Add(IEnumerable<LedgerWrite> changes) => unwritten.AddRange(changes);

    /// <summary>Gives a delivery back, with the next submission.</summary>
    public void GiveBack(Delivery delivery, DeliveryState from) => unwritten.Add(Release(delivery, from));

    /// <summary>Names the delivery in the note, and submits its mark, and with it all that waits. No mark before may be on its way.</summary>
    /// <exception cref="UnwrittenNoteException">It cannot be noted: it is given back with the next submission.</exception>
    public SendingMark Mark(Delivery delivery, string relay)
    {
        try
        {
            Note.Take(delivery, relay, canWait: !run.Composer.Signs);
        }
        catch (UnwrittenNoteException)
        {
            GiveBack(delivery, DeliveryState.Claimed);
            throw;
        }
        Begin(delivery, DeliveryState.Claimed);
        return new SendingMark(run, this, delivery);
    }

    /// <summary>Submits a mark: the first, from claimed, or one that renews it, from sending.</summary>
    public void Begin(Delivery delivery, DeliveryState from)
    {
        unwritten.Add(DeliveryVerdicts.Begin(delivery, from, run.Time.GetUtcNow()));
        Submit();
    }

    /// <summary>Makes what is noted durable; while a submission is on its way, what it holds.</summary>
    /// <returns>What became of the change that was submitted last.</returns>
    /// <exception cref="OperationCanceledException">The ledger is not waited for any more.</exception>
    public async Task<LedgerWriteResult> WriteAsync()
    {
        Submit();
        if (writing is not { } mine) return last;
        var results = await mine.WaitAsync(run.Stop.RecordToken);
        // An opening that takes long may wait for the same submission as who goes on without it: it counts once.
        return writing == mine ? Account(results) : last;
    }

    /// <summary>Makes everything noted durable, also what was noted while a submission was on its way.</summary>
    /// <exception cref="OperationCanceledException">The ledger is not waited for any more.</exception>
    public async Task FinishAsync()
    {
        do await WriteAsync();
        while (!AreDone);
        Note.Clear();
    }

    /// <summary>Ends it: another connection gets the note, unless the ledger does not know what it says. Then it stays for the next process.</summary>
    public void End()
    {
        if (AreDone) run.Owner.Return(Note);
    }

    /// <summary>As <see cref="WriteAsync"/>, blocking: for the middle of a relay's dialogue.</summary>
    public LedgerWriteResult Wait()
    {
        if (writing is null) return last;
        OwnThread.Wait(writing, run.Stop.RecordToken);
        return Account(writing.GetAwaiter().GetResult());
    }

    /// <summary>A mark that is not waited for any more is written all the same once the ledger can be: it is taken back behind it, for the message never leaves.</summary>
    public void TakeBack(Delivery delivery) => _ = run.Writer.WriteAsync([Release(delivery, DeliveryState.Sending)]);

    private void Submit()
    {
        if (writing is not null || unwritten.Count == 0) return;
        submitted = [.. unwritten];
        unwritten.Clear();
        writing = run.Writer.WriteAsync(submitted);
    }

    private LedgerWriteResult Account(IReadOnlyList<LedgerWriteResult> results)
    {
        writing = null;
        for (var i = 0; i < submitted.Length; i++) Account(submitted[i], results[i]);
        return last = results[^1];
    }

    private void Account(LedgerWrite write, LedgerWriteResult result)
    {
        var to = result switch
        {
            LedgerWriteResult.Suppressed => DeliveryState.Suppressed,
            LedgerWriteResult.Abandoned => DeliveryState.Uncertain,
            _ => write.To,
        };
        if (result == LedgerWriteResult.Written && write.To == DeliveryState.Sent) run.Tally.Add();
        if (result != LedgerWriteResult.Fenced) run.Meter.Move(write.From, to, 1, write.CountAttempt);
        if (write.StopsDomain is { } stopped) feed.NoteToldOfStop(stopped);
        var isOurs = write.To == DeliveryState.Sending && result is not (LedgerWriteResult.Suppressed or LedgerWriteResult.Abandoned);
        if (!isOurs && write.From != DeliveryState.Uncertain) feed.Done();
    }

    private LedgerWrite Release(Delivery delivery, DeliveryState from) => DeliveryVerdicts.Release(delivery, from, run.Time.GetUtcNow());
}
