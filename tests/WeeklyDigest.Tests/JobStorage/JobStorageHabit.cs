namespace WeeklyDigest.Tests.JobStorage;

/// <summary>What Hangfire's contract leaves open, or a storage does otherwise than ours.</summary>
public enum JobStorageHabit
{
    /// <summary>An id is any text to who asks for it; else something that is no number is refused.</summary>
    TakesAnyId,

    /// <summary>A change of a job that is not there is passed over; else refused.</summary>
    PassesOverMissingJobs,

    /// <summary>A job comes with its parameters and with how it was written down, and its page with the reason why it cannot be loaded.</summary>
    ComesWithSnapshots,

    /// <summary>Jobs that are at work or come later are listed oldest first; else newest first, as finished ones are.</summary>
    ListsOpenJobsOldestFirst,

    /// <summary>A connection that is disposed of releases its locks.</summary>
    ReleasesLocksWithConnection,

    /// <summary>A range of a set is read in the order of the scores; else as it was filled.</summary>
    OrdersRangesByScore,

    /// <summary>Trimming a list counts from its newest entry, as reading does; else from its oldest.</summary>
    TrimsFromNewest,

    /// <summary>A text may hold the character NUL.</summary>
    KeepsNul,

    /// <summary>A time-out for silent servers that is not positive is refused.</summary>
    RefusesZeroTimeout,
}
