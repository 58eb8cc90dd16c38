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
    /// <summary>Of fewer, all may well be unknown users.</summary>
    private const int FewestThatCount = 5;

    private readonly ConcurrentDictionary<string, Row> rows = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<Delivery> doubted = new();

    /// <summary>Deliveries whose refusal says nothing of the recipient; more may come.</summary>
    public IReadOnlyCollection<Delivery> Doubted => doubted;

    /// <summary>Messages that were accepted.</summary>
    public long Accepted => rows.Values.Sum(row => row.Accepted);

    /// <summary>Relays that have accepted nothing and said of at least five that there is no such address, in the same words each time, although the row is not too long yet.</summary>
    public IReadOnlyList<string> RefusedAll => [.. rows.Where(row => row.Value is { Accepted: 0, AreAlike: true, Refused.Count: >= FewestThatCount }).Select(row => row.Key)];

    /// <summary>Counts the row of a relay as too long: there is nobody left who could make it longer.</summary>
    /// <returns>What is wrong.</returns>
    public string Doubt(string relay)
    {
        var row = rows[relay];
        lock (row)
        {
            Doubt(row);
            return string.Create(CultureInfo.InvariantCulture, $"all {row.Count} recipients were refused; the last reply was: {row.Reply}");
        }
    }

    /// <summary>Notes an outcome.</summary>
    /// <param name="relay">The relay's name.</param>
    /// <param name="delivery">Whose it is.</param>
    /// <param name="outcome">The outcome.</param>
    /// <returns>What is wrong, while the relay's row is too long; else null.</returns>
    public string? Note(string relay, Delivery delivery, SendOutcome outcome)
    {
        if (outcome.Result is SendResult.NotStarted) return null;
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
            if (outcome.Refusal is Refusal.Address or Refusal.Mailbox) row.Refused.Add(delivery);
            row.AreAlike = outcome.Refusal is Refusal.Address && (row.Count == 0 || (row.AreAlike && Status(row.Reply) == Status(outcome.Reply)));
            row.Reply = outcome.Reply;
            if (++row.Count < limit) return null;
            Doubt(row);
            return string.Create(
                CultureInfo.InvariantCulture,
                $"{row.Count} recipients in a row were {(outcome.Result is SendResult.Unknown ? "refused or left without an answer" : "refused")}; the last reply was: {outcome.Reply}");
        }
    }

    // The code and what follows it, such as 550 5.1.1: the words after that may name the recipient.
    private static string? Status(string? reply) => reply?.IndexOf(' ', Math.Min(4, reply.Length)) is > 0 and var end ? reply[..end] : reply;

    private void Doubt(Row row)
    {
        foreach (var refused in row.Refused) doubted.Enqueue(refused);
        row.Refused.Clear();
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

        public string? Reply { get; set; }

        /// <summary>Whether each says with the same status that there is no such address.</summary>
        public bool AreAlike { get; set; }

        public void Accept() => Interlocked.Increment(ref accepted);
    }
}
