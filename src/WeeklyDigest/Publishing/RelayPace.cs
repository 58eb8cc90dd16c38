using WeeklyDigest.Deliveries;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Publishing;

/// <summary>
/// Keeps a relay's rate in this process: draws a few places at a time from the budget that everybody shares, and gives them to messages one
/// by one. Without a limit it does nothing at all.
/// </summary>
internal sealed class RelayPace : IAsyncDisposable
{
    // As much as may go at once after a rest; of a slow row, what comes before the next place.
    private static readonly TimeSpan LeastFresh = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan MostFresh = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan AfterTrouble = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan ShortAfterwards = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private readonly PriorityQueue<TimeSpan, TimeSpan> returned = new();
    private readonly string relay;
    private readonly RelayRates rates;
    private readonly IRelayStore store;
    private readonly TimeProvider time;
    private readonly ITimer restOver;
    private readonly long start;
    private Task drawing = Task.CompletedTask;
    private RelayDraw drawn = new(0, TimeSpan.Zero, TimeSpan.Zero, default);
    private TimeSpan drawnAt;
    private int used;
    private long shortUntil = -1;
    private volatile bool isResting;
    private volatile string? trouble;

    /// <summary>The pace of a relay.</summary>
    /// <param name="relay">The relay.</param>
    /// <param name="store">The budget.</param>
    /// <param name="time">The clock.</param>
    /// <param name="rested">Called when messages may go again after a rest.</param>
    public RelayPace(RelayOptions relay, IRelayStore store, TimeProvider time, Action rested)
    {
        (this.relay, rates, this.store, this.time) = (relay.Name, relay.Rates, store, time);
        start = time.GetTimestamp();
        restOver = time.CreateTimer(_ => EndRest(rested), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Whether nothing may be sent for more than a second.</summary>
    public bool IsResting => isResting;

    /// <summary>Whether it is the rate that holds messages up.</summary>
    public bool IsShort => Now.Ticks < Interlocked.Read(ref shortUntil);

    /// <summary>Whether a place is lost before the next one comes.</summary>
    public bool IsSlow => rates.Interval > MostFresh;

    /// <summary>Why the budget cannot be had, or null.</summary>
    public string? Trouble => trouble;

    private TimeSpan Now => time.GetElapsedTime(start);

    /// <summary>A place that is not used in time is lost: used late, it would crowd the next ones, and those of other processes.</summary>
    private TimeSpan Fresh => FreshFor(rates.Interval);

    /// <summary>How long a place of a rate may be used.</summary>
    /// <param name="interval">Between two messages.</param>
    public static TimeSpan FreshFor(TimeSpan interval) => interval < LeastFresh ? LeastFresh : interval < MostFresh ? interval : MostFresh;

    /// <summary>Waits for the next message's place. Completes at once when nothing is to be waited for.</summary>
    /// <returns>The place; null when there is none within about a second: the relay rests.</returns>
    public ValueTask<TimeSpan?> NextAsync(CancellationToken cancel)
    {
        if (!rates.AreLimited) return ValueTask.FromResult<TimeSpan?>(TimeSpan.Zero);
        TimeSpan place;
        lock (gate)
        {
            if (!TryTake(out place)) return new ValueTask<TimeSpan?>(DrawAndWaitAsync(cancel));
        }
        return place <= Now ? ValueTask.FromResult<TimeSpan?>(place) : new ValueTask<TimeSpan?>(WaitAsync(place, cancel));
    }

    /// <summary>Whether a message may still go in a place that was taken for it.</summary>
    public bool IsFresh(TimeSpan place) => !rates.AreLimited || Now - place <= Fresh;

    /// <summary>Gives a place back that was not used; it does not become younger by that.</summary>
    public void GiveBack(TimeSpan place)
    {
        if (!rates.AreLimited) return;
        lock (gate) returned.Enqueue(place, place);
    }

    /// <summary>Stops its timer, and waits for a draw that is under way.</summary>
    public async ValueTask DisposeAsync()
    {
        await restOver.DisposeAsync();
        Task last;
        lock (gate) last = drawing;
        await last;
    }

    private async Task<TimeSpan?> DrawAndWaitAsync(CancellationToken cancel)
    {
        TimeSpan place;
        while (true)
        {
            Task draw;
            lock (gate)
            {
                if (TryTake(out place)) break;
                if (isResting) return null;
                if (drawing.IsCompleted) drawing = Task.Run(DrawAsync, CancellationToken.None);
                draw = drawing;
            }
            await draw.WaitAsync(cancel);
        }
        return await WaitAsync(place, cancel);
    }

    private async Task<TimeSpan?> WaitAsync(TimeSpan place, CancellationToken cancel)
    {
        try
        {
            var wait = place - Now;
            if (wait > TimeSpan.Zero) await Task.Delay(wait, time, cancel);
            return place;
        }
        catch (OperationCanceledException)
        {
            GiveBack(place);
            throw;
        }
    }

    private bool TryTake(out TimeSpan place)
    {
        while (returned.TryDequeue(out place, out _) || TryNextPlace(out place))
        {
            if (!IsFresh(place)) continue;
            if (place > Now) NoteShort(place);
            return true;
        }
        return false;
    }

    private bool TryNextPlace(out TimeSpan place)
    {
        place = default;
        if (used >= drawn.Count) return false;
        var part = drawn.Count == 1 ? 0 : (double)used / (drawn.Count - 1);
        place = drawnAt + drawn.First + ((drawn.Last - drawn.First) * part);
        used++;
        return true;
    }

    // Dying after the draw wastes its places; nobody can use them twice.
    private async Task DrawAsync()
    {
        try
        {
            var next = await store.DrawAsync(relay, rates, rates.Draft, CancellationToken.None);
            trouble = null;
            lock (gate) (drawn, drawnAt, used) = (next, Now, 0);
            if (next.Count == 0) Rest(next.First);
        }
        catch (Exception failure) when (LedgerWriter.IsTrouble(failure))
        {
            trouble = failure.Message;
            Rest(AfterTrouble);
        }
    }

    private void Rest(TimeSpan wait)
    {
        NoteShort(Now + wait);
        isResting = true;
        // A little later than the place: a timer may be early by its own measure, and would ask in vain.
        restOver.Change(wait + TimeSpan.FromMilliseconds(5), Timeout.InfiniteTimeSpan);
    }

    private void EndRest(Action rested)
    {
        isResting = false;
        rested();
    }

    private void NoteShort(TimeSpan next) => Interlocked.Exchange(ref shortUntil, (next + rates.Interval + ShortAfterwards).Ticks);
}
