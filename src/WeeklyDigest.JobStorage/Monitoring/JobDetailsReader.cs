using Hangfire.Storage.Monitoring;
using Hangfire.Storage.SQLite.Database;
using Hangfire.Storage.SQLite.Jobs;

namespace Hangfire.Storage.SQLite.Monitoring;

/// <summary>Reads all that is known of one job.</summary>
internal static class JobDetailsReader
{
    /// <summary>The job with its history, newest first; null when it is gone.</summary>
    public static JobDetailsDto? Read(Session session, long id)
    {
        using var rows = session["Job"].With("@job", id).Read();
        if (!rows.Next()) return null;
        var data = JobRows.Invocation(rows.Text(0), rows.Text(1));
        return new JobDetailsDto
        {
            Job = JobRows.Load(data, out var problem),
            LoadException = problem,
            InvocationData = data,
            CreatedAt = rows.Time(2),
            ExpireAt = rows.TimeOrNull(3),
            Properties = JobRows.Parameters(session, id)!,
            History = History(session, id),
        };
    }

    private static List<StateHistoryDto> History(Session session, long id)
    {
        using var rows = session["StateHistory"].With("@job", id).Read();
        var history = new List<StateHistoryDto>();
        while (rows.Next())
            history.Add(new() { StateName = rows.Text(0), Reason = rows.TextOrNull(1), Data = JobRows.StateData(rows.Text(2)), CreatedAt = rows.Time(3) });
        return history;
    }
}
