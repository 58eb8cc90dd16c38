using System.Collections.Concurrent;
using WeeklyDigest.Publishing;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>Budgets in memory: what a database would keep, without one.</summary>
internal sealed class MemoryRelayStore(TimeProvider time) : IRelayStore
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, RelayBudget> budgets = [];
    private readonly ConcurrentDictionary<string, RelayAside> noted = new();
    private int draws;

    /// <summary>How often a budget was asked for.</summary>
    public int Draws => Volatile.Read(ref draws);

    /// <summary>While set, the budget cannot be had.</summary>
    public Exception? Trouble { get; set; }

    public Task<RelayDraw> DrawAsync(string relay, RelayRates rates, int count, CancellationToken cancel)
    {
        lock (gate)
        {
            draws++;
            if (Trouble is { } trouble) return Task.FromException<RelayDraw>(trouble);
            var draw = rates.Draw(budgets.GetValueOrDefault(relay), (time.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalMilliseconds, count);
            budgets[relay] = draw.Left;
            return Task.FromResult(draw);
        }
    }

    public Task<IReadOnlyList<RelayAside>> AsideAsync(CancellationToken cancel) => Task.FromResult<IReadOnlyList<RelayAside>>([.. noted.Values]);

    public Task NoteAsideAsync(RelayAside aside, CancellationToken cancel)
    {
        noted[aside.Relay] = aside;
        return Task.CompletedTask;
    }

    public Task TakeBackAsync(string relay, CancellationToken cancel)
    {
        noted.TryRemove(relay, out _);
        return Task.CompletedTask;
    }
}
