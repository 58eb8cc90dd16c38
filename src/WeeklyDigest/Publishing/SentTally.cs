using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Publishing;

/// <summary>
/// Counts what this process has had accepted of a mailing, over all its runs, and notes it in the ledger now and then. The whole count each
/// time, not what was added: a note that is written twice, because a commit's answer was lost, says the same.
/// </summary>
internal sealed class SentTally(string owner, LedgerWriter writer, TimeProvider time)
{
    private readonly DateTimeOffset since = time.GetUtcNow();
    private long acceptedAt = time.GetTimestamp();
    private long sent;
    private long noted;

    /// <summary>How long none was added, at first since this process began on the mailing; by a clock that nobody sets.</summary>
    public TimeSpan Idle => time.GetElapsedTime(Interlocked.Read(ref acceptedAt));

    /// <summary>One more.</summary>
    public void Add()
    {
        Interlocked.Exchange(ref acceptedAt, time.GetTimestamp());
        Interlocked.Increment(ref sent);
    }

    /// <summary>Notes the count, unless it is noted.</summary>
    public async Task NoteAsync(CancellationToken cancel)
    {
        var count = Interlocked.Read(ref sent);
        if (count == Interlocked.Read(ref noted)) return;
        var note = new SentNote(owner, count, since, time.GetUtcNow());
        await writer.InTurnAsync(async ledger =>
        {
            await ledger.NoteSentAsync(note, CancellationToken.None);
            return true;
        }).WaitAsync(cancel);
        Interlocked.Exchange(ref noted, count);
    }
}
