using System.Collections.Concurrent;

namespace Hangfire.Storage.SQLite.Database;

/// <summary>
/// Letting go of what this process holds: at once, or as soon as the database takes it. Nobody else would do it while the process lives,
/// and whoever lets go has nobody left to tell of a failure.
/// </summary>
/// <param name="database">The database.</param>
internal sealed class Leftovers(JobDatabase database)
{
    private readonly ConcurrentQueue<Action<Session>> waiting = [];

    /// <summary>Lets go, now or later. May run twice.</summary>
    public void LetGo(Action<Session> release)
    {
        try
        {
            Write(release);
        }
        catch (SQLiteStorageException)
        {
            waiting.Enqueue(release);
        }
    }

    /// <summary>Tries again what could not be let go of.</summary>
    /// <returns>Whether something was let go of.</returns>
    /// <exception cref="SQLiteStorageException">It still cannot be.</exception>
    public bool Retry()
    {
        var any = false;
        while (waiting.TryPeek(out var release))
        {
            Write(release);
            any = waiting.TryDequeue(out _);
        }
        return any;
    }

    private void Write(Action<Session> release) => database.TryWrite(session =>
    {
        release(session);
        return true;
    }, mustSurvivePowerFailure: false);
}
