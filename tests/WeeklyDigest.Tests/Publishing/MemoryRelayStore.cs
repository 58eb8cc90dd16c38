using System.Collections.Concurrent;
using WeeklyDigest.Publishing;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>Budgets in memory: what a database would keep, without one.</summary>
internal sealed class MemoryRelayStore(TimeProvider time) : IRelayStore
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, RelayBudget> budgets = [];
    private readonly ConcurrentDictionary<string, RelayAside> aside = new();
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

    public Task<IReadOnlyList<RelayAside>> AsideAsync(CancellationToken cancel) => Task.FromResult<IReadOnlyList<RelayAside>>([.. aside.Values]);

    public Task NoteAsideAsync(string relay, string? reason, DateTimeOffset at, CancellationToken cancel)
    {
        if (reason is null) aside.TryRemove(relay, out _);
        else aside[relay] = new RelayAside(relay, reason, at);
        return Task.CompletedTask;
    }
}
