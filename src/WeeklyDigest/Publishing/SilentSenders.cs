using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Publishing;

/// <summary>
/// Other processes of this machine that hold rows, live, and give no sign of it: stopped ones, or such as hang. Nobody takes their rows, since they may go on at
/// any moment; so whoever waits for these is told. Safe for many threads.
/// </summary>
/// <remarks>
/// A lease ends by the clock on the wall. Only when that has gone on without being set for half a lease, in which a process that is at work prolongs its own, is
/// anybody called silent.
/// </remarks>
/// <param name="lease">The length of a lease.</param>
/// <param name="clock">Whether the clock was set.</param>
/// <param name="time">The clock.</param>
internal sealed class SilentSenders(TimeSpan lease, ClockSteadiness clock, TimeProvider time)
{
    private readonly Lock gate = new();
    private IReadOnlyList<Sender> silent = [];

    /// <summary>Notes who holds rows now.</summary>
    /// <returns>Those that are silent and were not when it was told last.</returns>
    public IReadOnlyList<Sender> Note(IEnumerable<Sender> senders)
    {
        IReadOnlyList<Sender> now = clock.SteadyFor < lease / 2 ? [] : [.. senders.Where(sender => sender.IsSilent(lease, time.GetUtcNow()))];
        lock (gate)
        {
            var before = silent.Select(Key).ToHashSet();
            silent = now;
            return [.. now.Where(sender => !before.Contains(Key(sender)))];
        }

        static (string, int, long) Key(Sender sender) => (sender.Machine, sender.ProcessId, sender.MailingId);
    }

    /// <summary>What is said in the progress of a mailing of which such a process holds rows; else null. Of several the one that holds most is named.</summary>
    /// <param name="mailingId">The mailing.</param>
    public string? Notice(long mailingId)
    {
        lock (gate) return silent.Where(sender => sender.MailingId == mailingId).MaxBy(sender => sender.Rows) is { } sender ? Words(sender) : null;
    }

    /// <summary>The same as a sentence of its own.</summary>
    public string Words(Sender sender)
    {
        var words = sender.DescribeSilence(lease, time.LocalTimeZone);
        return char.ToUpperInvariant(words[0]) + words[1..];
    }
}
