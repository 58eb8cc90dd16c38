using System.Data.Common;
using System.Globalization;
using System.Threading.Channels;

namespace WeeklyDigest.Deliveries;

/// <summary>Why the ledger cannot be written at the moment.</summary>
/// <param name="Words">What the database says.</param>
/// <param name="Since">When that was first found out.</param>
/// <param name="NeedsRestart">Whether it ends with this process, not by itself.</param>
public sealed record LedgerTrouble(string Words, DateTimeOffset Since, bool NeedsRestart = false)
{
    /// <summary>As a failure tells it.</summary>
    public static LedgerTrouble Of(Exception failure, DateTimeOffset since) => new(failure.Message, since, failure is StorageException { NeedsRestart: true });
}

/// <summary>
/// The one place of a process that writes to the ledger: a single loop that collects everything waiting into one durable transaction
/// (group commit). Who submits a write goes on only when it is on disk.
/// </summary>
/// <remarks>
/// While the ledger cannot be written the loop tries again until it is disposed of, and everybody who needs a mark waits: nothing is handed
/// over. An answer that a relay gave is kept in memory all that time: the fence, not a time limit, says whether the row is still ours.
/// Only what no waiting mends (damage, a mistake) is given to those who wait.
/// </remarks>
public sealed class LedgerWriter : IAsyncDisposable
{
    /// <summary>Rows in one transaction; far above what the connections of a process can have waiting, except when claims are given back.</summary>
    private const int MaxGroup = 2000;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ClosingLimit = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(2);

    /// <summary>A change that takes so long is taken for a database that was away; a slow disk takes less.</summary>
    private static readonly TimeSpan Away = TimeSpan.FromSeconds(10);

    private readonly Channel<Request> requests = Channel.CreateUnbounded<Request>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource closing = new();
    private readonly ILedger ledger;
    private readonly TimeProvider time;
    private readonly Task loop;
    private volatile LedgerTrouble? trouble;
    private long changingSince;
    private long usableSince;

    /// <summary>Starts the loop.</summary>
    /// <param name="ledger">The ledger.</param>
    /// <param name="time">The clock.</param>
    public LedgerWriter(ILedger ledger, TimeProvider time)
    {
        (this.ledger, this.time, usableSince) = (ledger, time, time.GetTimestamp());
        loop = OwnThread.RunAsync("ledger", RunAsync);
    }

    /// <summary>Why the ledger cannot be written at the moment, or null.</summary>
    public LedgerTrouble? Trouble
    {
        get
        {
            var since = Interlocked.Read(ref changingSince);
            if (trouble is { } known) return known;
            var waiting = since == 0 ? TimeSpan.Zero : time.GetElapsedTime(since);
            if (waiting < Long) return null;
            var words = string.Create(CultureInfo.InvariantCulture, $"A change has been waiting for {waiting.TotalSeconds:f0} seconds: the database does not answer, or another program holds it.");
            return new LedgerTrouble(words, time.GetUtcNow() - waiting);
        }
    }

    /// <summary>For how long every change could be made, within ten seconds each; since the start at most. Zero while one waits.</summary>
    public TimeSpan UsableFor => Trouble is null ? time.GetElapsedTime(Interlocked.Read(ref usableSince)) : TimeSpan.Zero;

    /// <summary>Whether an exception means that the database is locked, full or gone, so that trying again may help.</summary>
    public static bool IsTrouble(Exception exception) => exception is StorageException { IsLasting: false } or DbException or IOException;

    /// <summary>Writes changes; completes when they are durable.</summary>
    /// <returns>What became of each, in order.</returns>
    /// <exception cref="StorageException">The ledger is damaged, or the writer was disposed of while it could not be written.</exception>
    public Task<IReadOnlyList<LedgerWriteResult>> WriteAsync(IReadOnlyList<LedgerWrite> writes)
    {
        if (writes.Count == 0) return Task.FromResult<IReadOnlyList<LedgerWriteResult>>([]);
        var request = new WriteRequest(writes);
        Submit(request);
        return request.Answer.Task;
    }

    /// <summary>Runs another change of the database between two groups, so that a process never competes with itself for the write lock.</summary>
    /// <exception cref="StorageException">As for writes.</exception>
    public Task<T> InTurnAsync<T>(Func<ILedger, Task<T>> change)
    {
        var request = new TurnRequest<T>(change);
        Submit(request);
        return request.Answer.Task;
    }

    /// <summary>Finishes what is waiting, for at most half a second, since who waited for it has given up: a change that hangs behind another program's lock is left to the end of the process.</summary>
    public async ValueTask DisposeAsync()
    {
        requests.Writer.TryComplete();
        closing.CancelAfter(ClosingLimit);
        await Task.WhenAny(loop, Task.Delay(Timeout.InfiniteTimeSpan, time, closing.Token));
        if (loop.IsCompleted) closing.Dispose();
    }

    private void Submit(Request request)
    {
        ObjectDisposedException.ThrowIf(!requests.Writer.TryWrite(request), this);
    }

    private async Task RunAsync()
    {
        while (await requests.Reader.WaitToReadAsync())
        {
            var turn = TakeGroup(out var group);
            if (group.Count > 0) await InsistAsync(() => CommitAsync(group), failure => group.ForEach(request => request.Fail(failure)));
            if (turn is not null) await InsistAsync(() => turn.RunAsync(ledger), turn.Fail);
        }
    }

    // Everything that waits, up to the next turn: the order of submission is kept.
    private Request? TakeGroup(out List<WriteRequest> group)
    {
        group = [];
        for (var rows = 0; rows < MaxGroup && requests.Reader.TryRead(out var request);)
        {
            if (request is not WriteRequest write) return request;
            group.Add(write);
            rows += write.Writes.Count;
        }
        return null;
    }

    // Dying before the commit leaves the rows as they were: those marked sending become uncertain, the others are given back.
    private async Task CommitAsync(List<WriteRequest> group)
    {
        var writes = group.Count == 1 ? group[0].Writes : Together(group);
        var results = await ledger.WriteAsync(writes, CancellationToken.None);
        var at = 0;
        foreach (var request in group)
        {
            var own = new LedgerWriteResult[request.Writes.Count];
            for (var i = 0; i < own.Length; i++) own[i] = results[at++];
            request.Answer.TrySetResult(own);
        }
    }

    private static List<LedgerWrite> Together(List<WriteRequest> group)
    {
        var writes = new List<LedgerWrite>(2 * group.Count);
        foreach (var request in group) writes.AddRange(request.Writes);
        return writes;
    }

    private async Task InsistAsync(Func<Task> change, Action<Exception> giveUp)
    {
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            var failure = await TryAsync(change);
            if (failure is null) return;
            if (!IsTrouble(failure) || closing.IsCancellationRequested)
            {
                giveUp(failure);
                return;
            }
            await Task.WhenAny(Task.Delay(pause, time, closing.Token));
        }
    }

    // The one edge where every exception is caught: it belongs to those who wait for this change, not to the loop that serves all.
    private async Task<Exception?> TryAsync(Func<Task> change)
    {
        var began = time.GetTimestamp();
        Interlocked.Exchange(ref changingSince, began);
        try
        {
            await change();
            if (trouble is not null || time.GetElapsedTime(began) >= Away) Interlocked.Exchange(ref usableSince, time.GetTimestamp());
            trouble = null;
            return null;
        }
        catch (Exception failure)
        {
            // Who asked has given up: that says nothing of the ledger.
            if (failure is not OperationCanceledException) trouble = LedgerTrouble.Of(failure, trouble?.Since ?? time.GetUtcNow() - time.GetElapsedTime(began));
            return failure;
        }
        finally
        {
            Interlocked.Exchange(ref changingSince, 0);
        }
    }

    private abstract class Request
    {
        public abstract Task RunAsync(ILedger ledger);

        public abstract void Fail(Exception failure);
    }

    private sealed class WriteRequest(IReadOnlyList<LedgerWrite> writes) : Request
    {
        public IReadOnlyList<LedgerWrite> Writes => writes;

        // Who waits on a thread of its own is woken there at once; anybody else must not go on in the writer's thread.
        public TaskCompletionSource<IReadOnlyList<LedgerWriteResult>> Answer { get; } = new(
            SynchronizationContext.Current is null ? TaskCreationOptions.RunContinuationsAsynchronously : TaskCreationOptions.None);

        public override async Task RunAsync(ILedger ledger) => Answer.TrySetResult(await ledger.WriteAsync(writes, CancellationToken.None));

        public override void Fail(Exception failure) => Answer.TrySetException(failure);
    }

    private sealed class TurnRequest<T>(Func<ILedger, Task<T>> change) : Request
    {
        public TaskCompletionSource<T> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override async Task RunAsync(ILedger ledger) => Answer.TrySetResult(await change(ledger));

        public override void Fail(Exception failure) => Answer.TrySetException(failure);
    }
}
