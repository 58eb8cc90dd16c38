using System.Data.Common;
using Hangfire.Storage;
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
    private (string Words, long At)? last;

    /// <summary>The exception that tells of such trouble, of this one and what it wraps; null: it is something else.</summary>
    public static Exception? In(Exception? failure) => failure switch
    {
        null or StorageException { IsLasting: true } => null,
        _ => JobEdge.IsPassing(failure) || IsMute(failure) ? failure : In(failure.InnerException),
    };

    /// <summary>What is wrong, in words; null: it is something else.</summary>
    public string? Words(Exception? failure)
    {
        if (In(failure) is not { } trouble) return null;
        if (IsMute(trouble)) return LastWords() ?? Guess(trouble);
        var words = trouble switch
        {
            StorageException => trouble.Message,
            DbException => database.ExplainJobs(trouble, PostgresJobs.Tables) ?? trouble.Message,
            _ => $"The disk is full: {trouble.Message}. Make room.",
        };
        lock (gate) last = (words, time.GetTimestamp());
        return words;
    }

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

    // Hangfire's library for PostgreSQL tells the log why it can take no lock, or has lost its connection; what it throws in the end says neither.
    private static bool IsMute(Exception failure) => failure is DistributedLockTimeoutException || (failure is InvalidOperationException && failure.Source == nameof(Npgsql));

    private string? LastWords()
    {
        lock (gate) return last is { } said && time.GetElapsedTime(said.At) < Quiet ? said.Words : null;
    }

    private static string Guess(Exception mute) => mute is DistributedLockTimeoutException taken
        ? $"The lock {taken.Resource} is another server's, or of one that was killed while it held it. It is free within a minute."
        : "The database has ended a connection that was in use.";
}
