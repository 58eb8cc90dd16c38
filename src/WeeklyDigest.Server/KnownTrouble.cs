using System.Data.Common;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Server;

/// <summary>
/// Trouble with the database or the disk that passes, in words: no mistake of ours, so nobody needs to know where in the program it was met. A page and a line in
/// the log say what is wrong.
/// </summary>
/// <param name="database">Has words for what its server says, also to other libraries.</param>
/// <param name="time">The clock.</param>
internal sealed class KnownTrouble(Database database, TimeProvider time)
{
    // While it lasts, something meets it every few seconds.
    private static readonly TimeSpan Quiet = TimeSpan.FromMinutes(1);

    // Of words that name something new each time, the oldest are forgotten.
    private const int Most = 100;

    private readonly Lock gate = new();
    private readonly Dictionary<string, long> met = [];

    /// <summary>The exception that tells of such trouble, of this one and what it wraps; null: it is something else.</summary>
    public static Exception? In(Exception? failure) => failure switch
    {
        null or StorageException { IsLasting: true } => null,
        _ => JobEdge.IsPassing(failure) ? failure : In(failure.InnerException),
    };

    /// <summary>What is wrong, in words; null: it is something else.</summary>
    public string? Words(Exception? failure) => In(failure) switch
    {
        null => null,
        StorageException trouble => trouble.Message,
        DbException trouble => database.Explain(trouble) ?? trouble.Message,
        { } full => $"The disk is full: {full.Message}. Make room.",
    };

    /// <summary>Whether to say it: the first time, and when it had been quiet for a minute.</summary>
    public bool IsNews(string words)
    {
        lock (gate)
        {
            var now = time.GetTimestamp();
            var isNews = !met.TryGetValue(words, out var last) || time.GetElapsedTime(last, now) >= Quiet;
            met[words] = now;
            if (met.Count > Most) met.Remove(met.MinBy(entry => entry.Value).Key);
            return isNews;
        }
    }
}
