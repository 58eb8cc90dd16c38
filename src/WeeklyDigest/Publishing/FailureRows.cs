using System.Collections.Concurrent;
using System.Globalization;
using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Publishing;

/// <summary>
/// Counts refusals (5xx) and lost answers in a row, of each relay over all its connections: a long row says that something is wrong with us or with the
/// relay, not with the recipients. So nobody stays suppressed for a refusal that is part of one.
/// </summary>
/// <param name="limit">A row of so many is too long.</param>
internal sealed class FailureRows(int limit)
{
    private readonly ConcurrentDictionary<string, Row> rows = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<Delivery> doubted = new();
    private volatile bool hasRefused;

    /// <summary>Deliveries whose refusal says nothing of the recipient; more may come.</summary>
    public IReadOnlyCollection<Delivery> Doubted => doubted;

    /// <summary>Whether any address or mailbox was refused.</summary>
    public bool HasRefused => hasRefused;

    /// <summary>Messages that were accepted.</summary>
    public long Accepted => rows.Values.Sum(row => row.Accepted);

    /// <summary>Whether a relay accepted any.</summary>
    public bool HasAccepted(string relay) => rows.TryGetValue(relay, out var row) && row.Accepted > 0;

    /// <summary>Notes an outcome.</summary>
    /// <param name="relay">The relay's name.</param>
    /// <param name="delivery">Whose it is.</param>
    /// <param name="outcome">The outcome.</param>
    /// <returns>What is wrong, while the relay's row is too long; else null.</returns>
    public string? Note(string relay, Delivery delivery, SendOutcome outcome)
    {
        if (outcome.Result is SendResult.NotStarted || outcome.IsOurs) return null;
        var row = rows.GetOrAdd(relay, _ => new Row());
        var isFailure = outcome.Result is SendResult.Rejected or SendResult.Unknown;
        if (outcome.Result is SendResult.Accepted) row.Accept();
        if (!isFailure && row.Count == 0) return null;
        lock (row)
        {
            if (!isFailure)
            {
                row.Count = 0;
                row.Refused.Clear();
                return null;
            }
            if (outcome.Refusal is Refusal.Address or Refusal.Mailbox)
            {
                hasRefused = true;
                row.Refused.Add(delivery);
            }
            if (++row.Count < limit) return null;
            foreach (var refused in row.Refused) doubted.Enqueue(refused);
            row.Refused.Clear();
            return string.Create(
                CultureInfo.InvariantCulture,
                $"{row.Count} recipients in a row were {(outcome.Result is SendResult.Unknown ? "refused or left without an answer" : "refused")}; the last reply was: {outcome.Reply.TrimEnd('.')}");
        }
    }

    /// <summary>The failures of a relay since it last took a message, or put it off.</summary>
    private sealed class Row
    {
        private int count;
        private long accepted;

        public long Accepted => Volatile.Read(ref accepted);

        public int Count
        {
            get => Volatile.Read(ref count);
            set => Volatile.Write(ref count, value);
        }

        public List<Delivery> Refused { get; } = [];

        public void Accept() => Interlocked.Increment(ref accepted);
    }
}
