using Hangfire.Common;
using Hangfire.Storage.Monitoring;
using Hangfire.Storage.SQLite.Database;
using Hangfire.Storage.SQLite.Jobs;

namespace Hangfire.Storage.SQLite.Monitoring;

/// <summary>A job as a page of the dashboard lists it.</summary>
/// <param name="Data">Type, method and arguments.</param>
/// <param name="Job">The same, loaded; null when the method cannot be found.</param>
/// <param name="Problem">Why it cannot be found.</param>
/// <param name="State">The state it is in, or null.</param>
/// <param name="Reason">Why it is in that state, or null.</param>
/// <param name="StateData">The state's data.</param>
/// <param name="At">Since when.</param>
internal sealed record ListedJob(
    InvocationData Data, Job? Job, JobLoadException? Problem, string? State, string? Reason, IDictionary<string, string> StateData, DateTime? At)
{
    /// <summary>A value of the state's data, or null.</summary>
    public string? this[string name] => StateData.TryGetValue(name, out var value) ? value : null;

    /// <summary>Whether it is in a state.</summary>
    public bool IsIn(string state) => state.Equals(State, StringComparison.OrdinalIgnoreCase);
}

/// <summary>Reads pages of jobs.</summary>
internal static class JobPage
{
    /// <summary>Reads a page.</summary>
    /// <param name="statement">A statement of monitoring.sql with the columns id, invocation, arguments, state, reason, data, time.</param>
    /// <param name="map">Makes what Hangfire shows; not called for an entry whose job is gone, which shows as null.</param>
    public static JobList<T> Read<T>(Statement statement, Func<ListedJob, T> map) where T : class
    {
        using var rows = statement.Read();
        var jobs = new List<KeyValuePair<string, T?>>();
        while (rows.Next()) jobs.Add(new(JobRows.Id(rows.Number(0)), rows.TextOrNull(1) is { } payload ? map(Listed(rows, payload)) : null));
        return new JobList<T>(jobs!);
    }

    private static ListedJob Listed(Rows rows, string payload)
    {
        var data = JobRows.Invocation(payload, rows.Text(2));
        var job = JobRows.Load(data, out var problem);
        var stateData = rows.TextOrNull(5) is { } json ? JobRows.StateData(json) : new(StringComparer.OrdinalIgnoreCase);
        return new ListedJob(data, job, problem, rows.TextOrNull(3), rows.TextOrNull(4), stateData, rows.TimeOrNull(6));
    }
}
