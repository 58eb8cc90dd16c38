using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Tests.Deliveries;

public sealed class LedgerWriterTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private readonly ManualClock clock = new();
    private readonly GatedLedger ledger = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_waits_together_is_committed_together_and_everybody_gets_his_own_results()
    {
        await using var writer = new LedgerWriter(ledger, clock);
        var first = writer.WriteAsync([Write(0)]);
        await ledger.EnteredAsync();
        var others = Enumerable.Range(1, 20).Select(i => writer.WriteAsync([Write(i), Write(100 + i)])).ToList();
        ledger.Open();

        await Task.WhenAll(others.Append(first)).WaitAsync(Limit, Cancel);
        Assert.Equal([1, 40], ledger.Groups.Select(group => group.Count));
        // The ledger fences odd subscribers: an odd caller gets (fenced, fenced or written) as his own two rows say.
        for (var i = 1; i <= 20; i++) Assert.Equal([GatedLedger.ResultOf(i), GatedLedger.ResultOf(100 + i)], await others[i - 1]);
    }

    [Fact]
    public async Task Nobody_goes_on_before_the_commit()
    {
        await using var writer = new LedgerWriter(ledger, clock);
        var write = writer.WriteAsync([Write(1)]);
        await ledger.EnteredAsync();
        Assert.False(write.IsCompleted);
        ledger.Open();
        await write.WaitAsync(Limit, Cancel);
    }

    [Fact]
    public async Task A_ledger_that_cannot_be_written_is_tried_again_while_everybody_waits()
    {
        ledger.Open();
        ledger.Failure = new StorageException("the disk is full");
        await using var writer = new LedgerWriter(ledger, clock);
        clock.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(TimeSpan.FromMinutes(5), writer.UsableFor);
        var start = clock.GetUtcNow();
        var write = writer.WriteAsync([Write(1)]);
        await UntilAsync(() => ledger.Tries >= 2);
        Assert.Equal(TimeSpan.Zero, writer.UsableFor);
        var trouble = writer.Trouble!;
        Assert.Equal("the disk is full", trouble.Words);
        Assert.InRange(trouble.Since, start, clock.GetUtcNow());
        await UntilAsync(() => ledger.Tries >= 4);
        Assert.Equal(trouble, writer.Trouble);
        Assert.False(write.IsCompleted);

        ledger.Failure = null;
        await UntilAsync(() => write.IsCompleted);
        Assert.Null(writer.Trouble);
        Assert.InRange(writer.UsableFor, TimeSpan.Zero, TimeSpan.FromSeconds(2));
        Assert.Single(ledger.Groups);
    }

    [Fact]
    public async Task Trouble_began_when_the_change_did_that_waited_until_it_failed()
    {
        ledger.Failure = new StorageException("the database does not answer");
        await using var writer = new LedgerWriter(ledger, clock);
        var start = clock.GetUtcNow();
        var write = writer.WriteAsync([Write(1)]);
        await ledger.EnteredAsync();
        clock.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(start, writer.Trouble!.Since);
        ledger.Open();
        await UntilAsync(() => ledger.Tries >= 2);
        Assert.Equal(("the database does not answer", start), (writer.Trouble!.Words, writer.Trouble.Since));
        ledger.Failure = null;
        await UntilAsync(() => write.IsCompleted);
    }

    [Fact]
    public async Task What_is_known_is_not_given_up_however_long_it_takes()
    {
        ledger.Open();
        ledger.Failure = new StorageException("locked");
        await using var writer = new LedgerWriter(ledger, clock);
        var write = writer.WriteAsync([Write(2)]);
        await UntilAsync(() => ledger.Tries >= 3);
        clock.Advance(TimeSpan.FromDays(3));
        await UntilAsync(() => ledger.Tries >= 6);
        Assert.False(write.IsCompleted);

        ledger.Failure = null;
        await UntilAsync(() => write.IsCompleted);
        Assert.Equal([LedgerWriteResult.Written], await write);
    }

    [Fact]
    public async Task Damage_is_told_at_once_and_later_writes_are_tried_anew()
    {
        ledger.Open();
        ledger.Failure = new StorageException("damaged") { IsLasting = true };
        await using var writer = new LedgerWriter(ledger, clock);
        Assert.Equal("damaged", (await Assert.ThrowsAsync<StorageException>(() => writer.WriteAsync([Write(1)]).WaitAsync(Limit, Cancel))).Message);
        Assert.Equal(1, ledger.Tries);

        ledger.Failure = null;
        Assert.Equal([LedgerWriteResult.Written], await writer.WriteAsync([Write(2)]).WaitAsync(Limit, Cancel));
    }

    [Fact]
    public async Task Who_waits_for_a_ledger_that_cannot_be_written_gets_the_failure_when_the_program_ends()
    {
        ledger.Open();
        ledger.Failure = new StorageException("the disk is full");
        var writer = new LedgerWriter(ledger, clock);
        var write = writer.WriteAsync([Write(1)]);
        await UntilAsync(() => ledger.Tries >= 2);
        var end = writer.DisposeAsync().AsTask();
        await UntilAsync(() => write.IsCompleted);
        Assert.Equal("the disk is full", (await Assert.ThrowsAsync<StorageException>(() => write)).Message);
        await end.WaitAsync(Limit, Cancel);
    }

    [Fact]
    public async Task A_mistake_of_the_program_is_not_tried_again()
    {
        ledger.Open();
        ledger.Failure = new InvalidOperationException("a mistake");
        await using var writer = new LedgerWriter(ledger, clock);
        await Assert.ThrowsAsync<InvalidOperationException>(() => writer.WriteAsync([Write(1)]).WaitAsync(Limit, Cancel));
        Assert.Equal(1, ledger.Tries);
    }

    [Fact]
    public async Task Who_gives_up_waiting_says_nothing_of_the_ledger()
    {
        await using var writer = new LedgerWriter(ledger, clock);
        clock.Advance(TimeSpan.FromMinutes(5));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writer.InTurnAsync(_ => Task.FromCanceled<bool>(new CancellationToken(canceled: true))).WaitAsync(Limit, Cancel));
        Assert.Equal((null, TimeSpan.FromMinutes(5)), (writer.Trouble, writer.UsableFor));
    }

    [Fact]
    public async Task Claims_take_their_turn_between_the_groups()
    {
        await using var writer = new LedgerWriter(ledger, clock);
        var first = writer.WriteAsync([Write(1)]);
        await ledger.EnteredAsync();
        var turn = writer.InTurnAsync(_ => Task.FromResult(ledger.Groups.Count));
        var last = writer.WriteAsync([Write(2)]);
        ledger.Open();

        Assert.Equal(1, await turn.WaitAsync(Limit, Cancel));
        await Task.WhenAll(first, last).WaitAsync(Limit, Cancel);
        Assert.Equal(2, ledger.Groups.Count);
    }

    [Fact]
    public async Task What_was_submitted_is_written_before_it_ends()
    {
        ledger.Open();
        var writer = new LedgerWriter(ledger, clock);
        var writes = Enumerable.Range(0, 100).Select(i => writer.WriteAsync([Write(i)])).ToList();
        await writer.DisposeAsync();
        Assert.All(writes, write => Assert.True(write.IsCompletedSuccessfully));
        Assert.Throws<ObjectDisposedException>(() => { _ = writer.WriteAsync([Write(1)]); });
    }

    private async Task UntilAsync(Func<bool> condition)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Limit);
            clock.Advance(TimeSpan.FromMilliseconds(200));
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, Cancel);
        }
    }

    private static LedgerWrite Write(long subscriber)
        => new(new DeliveryId(1, subscriber), 1, DeliveryState.Claimed, DeliveryState.Sending, false, null, null, DateTimeOffset.UnixEpoch);

    /// <summary>Holds writes back until it is opened, fails when told to, and remembers the groups it was given.</summary>
    private sealed class GatedLedger : ILedger
    {
        private readonly TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile int tries;

        public List<IReadOnlyList<LedgerWrite>> Groups { get; } = [];

        public int Tries => tries;

        public Exception? Failure { get; set; }

        public static LedgerWriteResult ResultOf(long subscriber) => subscriber % 2 == 0 ? LedgerWriteResult.Written : LedgerWriteResult.Fenced;

        public void Open() => gate.TrySetResult();

        public Task EnteredAsync() => entered.Task.WaitAsync(Limit, Cancel);

        public async Task<IReadOnlyList<LedgerWriteResult>> WriteAsync(IReadOnlyList<LedgerWrite> writes, CancellationToken cancel)
        {
            entered.TrySetResult();
            await gate.Task;
            tries++;
            if (Failure is { } failure) throw failure;
            Groups.Add(writes);
            return [.. writes.Select(write => ResultOf(write.Id.SubscriberId))];
        }

        public Task<ClaimedRows> ClaimAsync(ClaimRequest request, CancellationToken cancel) => throw new NotSupportedException();

        public Task<long> GiveUpAsync(long mailingId, DateTimeOffset before, string reply, int count, DateTimeOffset now, CancellationToken cancel) => throw new NotSupportedException();

        public Task<long> CutWaitsAsync(DateTimeOffset latest, int count, DateTimeOffset now, CancellationToken cancel) => throw new NotSupportedException();

        public Task<long> PardonAsync(IReadOnlyList<Delivery> failed, OnUncertain onUncertain, DateTimeOffset now, CancellationToken cancel) => throw new NotSupportedException();

        public Task<long> TrustAsync(RelayStanding standing, CancellationToken cancel) => throw new NotSupportedException();

        public Task<IReadOnlyList<RelayDoubt>> DoubtsAsync(CancellationToken cancel) => throw new NotSupportedException();

        public Task<IReadOnlyList<RelayRefusal>> RefusalsAsync(long mailingId, CancellationToken cancel) => throw new NotSupportedException();

        public Task<long> PardonRelayAsync(string relay, int count, OnUncertain onUncertain, DateTimeOffset now, CancellationToken cancel) => throw new NotSupportedException();

        public Task RenewAsync(Claimant claimant, CancellationToken cancel) => throw new NotSupportedException();

        public Task NoteSentAsync(SentNote note, CancellationToken cancel) => throw new NotSupportedException();

        public Task<IReadOnlyList<SentNote>> SentNotesAsync(CancellationToken cancel) => throw new NotSupportedException();

        public Task<IReadOnlyList<BegunDelivery>> SendingAsync(string owner, CancellationToken cancel) => throw new NotSupportedException();

        public Task<IReadOnlyList<ClaimHolder>> HoldersAsync(CancellationToken cancel) => throw new NotSupportedException();

        public Task<RecoveredRows> RecoverAsync(string owner, OnUncertain onUncertain, DateTimeOffset now, CancellationToken cancel) => throw new NotSupportedException();

        public Task<RecoveredRows> RecoverLapsedAsync(string owner, OnUncertain onUncertain, DateTimeOffset now, CancellationToken cancel) => throw new NotSupportedException();

        public Task<DecidedRows> DecideAsync(DecisionPortion portion, CancellationToken cancel) => throw new NotSupportedException();
    }
}
