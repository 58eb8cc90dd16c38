namespace WeeklyDigest.Publishing;

/// <summary>The schedule and the times of it that have come, in the ledger's database: whatever wakes a process up, this says whether there is something to do.</summary>
public interface IScheduleStore
{
    /// <summary>Takes over what is configured, unless it was taken over before: so a change made elsewhere stays until the settings change.</summary>
    /// <returns>The schedule that holds.</returns>
    Task<Schedule> AdoptAsync(string cron, string timeZone, DateTimeOffset now, CancellationToken cancel);

    /// <summary>The schedule that holds, or null before one was adopted.</summary>
    Task<Schedule?> FindAsync(CancellationToken cancel);

    /// <summary>Changes the schedule from now on. A time that has come and has no issue yet is missed: it was another schedule's.</summary>
    Task ChangeAsync(Schedule schedule, CancellationToken cancel);

    /// <summary>Notes a time that has come, unless it was noted before, or the schedule is not the one any more that it is of.</summary>
    /// <returns>Whether it was noted now.</returns>
    Task<bool> AddAsync(Occurrence occurrence, Schedule of, CancellationToken cancel);

    /// <summary>What is due, oldest first.</summary>
    Task<IReadOnlyList<Occurrence>> DueAsync(CancellationToken cancel);

    /// <summary>The time noted as <paramref name="dueAt"/>, or null.</summary>
    Task<Occurrence?> FindAsync(DateTimeOffset dueAt, CancellationToken cancel);

    /// <summary>The latest noted time that is not after <paramref name="until"/>, or null.</summary>
    Task<Occurrence?> LastAsync(DateTimeOffset until, CancellationToken cancel);

    /// <summary>Chooses the issue a due time stands for, unless that was done before.</summary>
    /// <returns>The issue chosen first, or null when the time is not due any more.</returns>
    Task<string?> ChooseAsync(DateTimeOffset dueAt, string issue, CancellationToken cancel);

    /// <summary>Notes what became of a due time; one that is not due stays as it is.</summary>
    Task CloseAsync(DateTimeOffset dueAt, OccurrenceState state, string? note, CancellationToken cancel);
}
