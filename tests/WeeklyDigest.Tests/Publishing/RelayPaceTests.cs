using System.Threading.Channels;
using WeeklyDigest.Publishing;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Tests.Publishing;

public sealed class RelayPaceTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private readonly AskedClock clock = new(new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero));
    private readonly MemoryRelayStore store;
    private int rested;

    public RelayPaceTests() => store = new MemoryRelayStore(clock);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_a_limit_nothing_is_asked_and_nothing_waited_for()
    {
        await using var pace = Pace(new RelayOptions { Name = "free" });
        for (var i = 0; i < 1000; i++)
        {
            var next = pace.NextAsync(Cancel);
            Assert.True(next.IsCompletedSuccessfully && await next is not null);
        }
        Assert.Equal((0, false), (store.Draws, pace.IsShort));
    }

    [Fact]
    public async Task Places_come_in_an_even_row_and_the_budget_is_asked_seldom()
    {
        await using var pace = Pace(new RelayOptions { Name = "main", MessagesPerSecond = 100 });
        var started = clock.GetTimestamp();
        for (var i = 0; i < 200; i++) Assert.True(await InTimeAsync(pace.NextAsync(Cancel)));
        // A quarter of a second's worth at once, the rest each in its turn.
        Assert.InRange(clock.GetElapsedTime(started).TotalSeconds, 1.7, 1.9);
        Assert.InRange(store.Draws, 8, 9);
        Assert.True(pace.IsShort);
    }

    [Fact]
    public async Task Two_processes_share_one_budget()
    {
        await using var one = Pace(new RelayOptions { Name = "main", MessagesPerMinute = 600 });
        await using var two = Pace(new RelayOptions { Name = "main", MessagesPerMinute = 600 });
        var started = clock.GetTimestamp();
        for (var i = 0; i < 20; i++) Assert.True(await InTimeAsync((i % 2 == 0 ? one : two).NextAsync(Cancel)) && await InTimeAsync((i % 2 == 0 ? two : one).NextAsync(Cancel)));
        Assert.InRange(clock.GetElapsedTime(started).TotalSeconds, 2.9, 3.5);
    }

    [Fact]
    public async Task When_the_next_place_is_far_the_relay_rests_until_it_comes()
    {
        await using var pace = Pace(new RelayOptions { Name = "slow", MessagesPerHour = 60 });
        Assert.True(await InTimeAsync(pace.NextAsync(Cancel)));
        Assert.False(await InTimeAsync(pace.NextAsync(Cancel)));
        Assert.True(pace is { IsResting: true, IsShort: true });
        Assert.False(await InTimeAsync(pace.NextAsync(Cancel)));
        Assert.Equal(2, store.Draws);

        clock.Advance(TimeSpan.FromSeconds(58));
        Assert.Equal(0, rested);
        clock.Advance(TimeSpan.FromSeconds(1.1));
        Assert.Equal((1, false), (rested, pace.IsResting));
        Assert.True(await InTimeAsync(pace.NextAsync(Cancel)));
    }

    [Fact]
    public async Task A_place_that_is_given_back_is_used_by_the_next_and_an_old_one_by_nobody()
    {
        await using var pace = Pace(new RelayOptions { Name = "slow", MessagesPerHour = 60 });
        for (var i = 0; i < 2; i++)
        {
            var place = await PlaceAsync(pace.NextAsync(Cancel));
            Assert.NotNull(place);
            pace.GiveBack(place.Value);
        }
        clock.Advance(TimeSpan.FromSeconds(3));
        Assert.False(await InTimeAsync(pace.NextAsync(Cancel)));
    }

    [Fact]
    public async Task A_place_is_as_old_when_it_is_given_back_as_when_it_was_kept()
    {
        await using var pace = Pace(new RelayOptions { Name = "main", MessagesPerSecond = 2 });
        var place = await PlaceAsync(pace.NextAsync(Cancel));
        Assert.NotNull(place);
        clock.Advance(TimeSpan.FromSeconds(0.4));
        Assert.True(pace.IsFresh(place.Value));
        clock.Advance(TimeSpan.FromSeconds(0.2));
        Assert.False(pace.IsFresh(place.Value));
        pace.GiveBack(place.Value);
        Assert.True(await InTimeAsync(pace.NextAsync(Cancel)));
        Assert.Equal(2, store.Draws);
    }

    [Fact]
    public async Task After_a_stall_what_was_drawn_before_it_is_not_used_on_top_of_what_may_go_at_once()
    {
        await using var pace = Pace(new RelayOptions { Name = "main", MessagesPerSecond = 100 });
        for (var i = 0; i < 30; i++) Assert.True(await InTimeAsync(pace.NextAsync(Cancel)));
        clock.Advance(TimeSpan.FromSeconds(0.8));
        var after = clock.GetTimestamp();
        for (var i = 0; i < 40; i++) Assert.True(await InTimeAsync(pace.NextAsync(Cancel)));
        // A quarter of a second's worth at once, then fifteen each in its turn.
        Assert.InRange(clock.GetElapsedTime(after).TotalSeconds, 0.14, 0.2);
    }

    [Fact]
    public async Task Who_gives_up_waiting_gives_the_place_back()
    {
        await using var pace = Pace(new RelayOptions { Name = "main", MessagesPerSecond = 2 });
        Assert.True(await InTimeAsync(pace.NextAsync(Cancel)));
        using var giveUp = new CancellationTokenSource();
        var waiting = pace.NextAsync(giveUp.Token).AsTask();
        await Eventually.HoldsAsync(() => store.Draws == 2, "a second place is drawn");
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(Limit, Cancel));
        Assert.True(await InTimeAsync(pace.NextAsync(Cancel)));
    }

    [Fact]
    public async Task While_the_budget_cannot_be_had_nothing_goes_and_then_it_goes_on()
    {
        store.Trouble = new StorageException("The disk is full.");
        await using var pace = Pace(new RelayOptions { Name = "main", MessagesPerSecond = 10 });
        Assert.False(await InTimeAsync(pace.NextAsync(Cancel)));
        Assert.Equal((true, "The disk is full."), (pace.IsResting, pace.Trouble));

        store.Trouble = null;
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, rested);
        Assert.True(await InTimeAsync(pace.NextAsync(Cancel)));
        Assert.Null(pace.Trouble);
    }

    private RelayPace Pace(RelayOptions relay) => new(relay, store, clock, () => Interlocked.Increment(ref rested));

    private async Task<bool> InTimeAsync(ValueTask<TimeSpan?> next) => await PlaceAsync(next) is not null;

    // The clock stands still unless something waits for it, and then goes just that far: a draw runs elsewhere and is given its time.
    private async Task<TimeSpan?> PlaceAsync(ValueTask<TimeSpan?> next)
    {
        var task = next.AsTask();
        while (!task.IsCompleted)
        {
            await Task.WhenAny(task, clock.Waits.WaitToReadAsync(Cancel).AsTask()).WaitAsync(Limit, Cancel);
            if (!task.IsCompleted && clock.Waits.TryRead(out var wait)) clock.Advance(wait);
        }
        return await task;
    }

    /// <summary>A clock that stands still and tells for how long it is waited for.</summary>
    private sealed class AskedClock(DateTimeOffset start) : ManualClock(start)
    {
        private readonly Channel<TimeSpan> waits = Channel.CreateUnbounded<TimeSpan>();

        public ChannelReader<TimeSpan> Waits => waits.Reader;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            if (dueTime > TimeSpan.Zero) waits.Writer.TryWrite(dueTime);
            return timer;
        }
    }
}
