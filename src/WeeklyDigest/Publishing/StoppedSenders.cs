namespace WeeklyDigest.Publishing;

/// <summary>
/// Other processes of this machine that hold rows and are stopped. Nobody takes their rows, since they may go on at any moment; so whoever waits for these is
/// told. Safe for many threads.
/// </summary>
internal sealed class StoppedSenders
{
    private readonly Lock gate = new();
    private IReadOnlyList<Sender> stopped = [];

    /// <summary>Notes who holds rows now.</summary>
    /// <returns>Of those that are stopped and were not when it was told last, what to say.</returns>
    public IReadOnlyList<string> Note(IEnumerable<Sender> senders)
    {
        IReadOnlyList<Sender> now = [.. senders.Where(sender => sender.IsStopped)];
        lock (gate)
        {
            var before = stopped.Select(Key).ToHashSet();
            stopped = now;
            return [.. now.Where(sender => !before.Contains(Key(sender))).Select(Sentence)];
        }

        static (int, long) Key(Sender sender) => (sender.ProcessId, sender.MailingId);
    }

    /// <summary>What is said in the progress of a mailing of which such a process holds rows; else null. Of several the one that holds most is named.</summary>
    /// <param name="mailingId">The mailing.</param>
    public string? Notice(long mailingId)
    {
        lock (gate) return stopped.Where(sender => sender.MailingId == mailingId).MaxBy(sender => sender.Rows) is { } sender ? Sentence(sender) : null;
    }

    private static string Sentence(Sender sender)
    {
        var words = sender.DescribeStop();
        return char.ToUpperInvariant(words[0]) + words[1..];
    }
}
