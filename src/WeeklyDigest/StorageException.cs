namespace WeeklyDigest;

/// <summary>The database cannot be used; the message says which, why and what to do.</summary>
/// <param name="message">For people.</param>
/// <param name="inner">The cause, or null.</param>
public sealed class StorageException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether waiting helps nobody: the database is damaged, or refuses what was asked. False: it is locked, full, away or closed to us, which somebody can mend meanwhile.</summary>
    public bool IsLasting { get; init; }

    /// <summary>Whether it may be there in a moment with nobody changing a setting: it does not answer, starts or ends, has no connection or no room left, or another program holds it.</summary>
    public bool IsAway { get; init; }

    /// <summary>Whether this process cannot use the database any more, whatever somebody mends: nothing goes on by itself, and the message asks for a restart.</summary>
    public bool NeedsRestart { get; init; }
}
