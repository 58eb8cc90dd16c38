using System.Globalization;
using Hangfire.Common;
using Hangfire.States;
using Hangfire.Storage.SQLite.Database;

namespace Hangfire.Storage.SQLite.Jobs;

/// <summary>Jobs in the database. What names a job that is not there changes nothing and finds nothing.</summary>
internal static class JobRows
{
    /// <summary>A job's id as a number; null for a text that can be no id.</summary>
    public static long? Id(string jobId) => long.TryParse(jobId, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : null;

    /// <summary>An id as Hangfire has it.</summary>
    public static string Id(long id) => id.ToString(CultureInfo.InvariantCulture);

    /// <summary>Writes a job.</summary>
    /// <param name="session">The transaction.</param>
    /// <param name="id">Its id, or null for the next.</param>
    /// <param name="job">Type, method and arguments.</param>
    /// <param name="parameters">Its parameters.</param>
    /// <param name="createdAt">When it was created.</param>
    /// <param name="expireIn">How long after that it goes.</param>
    /// <returns>Its id.</returns>
    public static long Add(Session session, long? id, InvocationData job, IEnumerable<KeyValuePair<string, string?>> parameters, DateTime createdAt, TimeSpan expireIn)
    {
        var created = session["AddJob"].With("@job", id).With("@invocation", job.SerializePayload(excludeArguments: true)).With("@arguments", job.Arguments)
            .With("@created", UnixTime.Of(createdAt)).With("@expires", UnixTime.Of(createdAt + expireIn)).RunForId()!.Value;
        foreach (var (name, value) in parameters) SetParameter(session, created, name, value);
        return created;
    }

    /// <summary>Sets a parameter.</summary>
    public static void SetParameter(Session session, long id, string name, string? value)
        => session["SetJobParameter"].With("@job", id).With("@name", name).With("@value", value).Run();

    /// <summary>Adds a state to a job's history.</summary>
    /// <param name="session">The transaction.</param>
    /// <param name="id">The job.</param>
    /// <param name="state">The state.</param>
    /// <param name="now">Unix milliseconds.</param>
    /// <param name="isCurrent">Whether the job is in it from now on.</param>
    public static void AddState(Session session, long id, StateRow state, long now, bool isCurrent)
    {
        var added = session["AddJobState"].With("@job", id).With("@name", state.Name).With("@reason", state.Reason).With("@data", state.Data).With("@now", now).RunForId();
        if (added is { } row && isCurrent) session["PointToState"].With("@job", id).With("@state", row).With("@name", state.Name).Run();
    }

    /// <summary>Type, method and arguments as the database has them.</summary>
    public static InvocationData Invocation(string payload, string arguments)
    {
        var data = InvocationData.DeserializePayload(payload);
        if (arguments.Length > 0) data.Arguments = arguments;
        return data;
    }

    /// <summary>The job, or why its method cannot be found.</summary>
    public static Job? Load(InvocationData data, out JobLoadException? problem)
    {
        try
        {
            problem = null;
            return data.DeserializeJob();
        }
        catch (JobLoadException failure)
        {
            problem = failure;
            return null;
        }
    }

    /// <summary>A state's data, found without regard to case; none where it is damaged: a page of jobs, and whoever goes through one, is not to fail for a single row.</summary>
    public static Dictionary<string, string> StateData(string json)
    {
        try
        {
            return new(SerializationHelper.Deserialize<Dictionary<string, string>?>(json) ?? [], StringComparer.OrdinalIgnoreCase);
        }
        catch (Exception damage) when (damage is not OutOfMemoryException)
        {
            // What Hangfire's serializer throws are another library's exceptions, which this assembly does not know.
            return new(StringComparer.OrdinalIgnoreCase);
        }
    }

    /// <summary>A job as workers need it, or null.</summary>
    public static JobData? Find(Session session, long id)
    {
        using var rows = session["Job"].With("@job", id).Read();
        if (!rows.Next()) return null;
        var data = Invocation(rows.Text(0), rows.Text(1));
        return new JobData
        {
            Job = Load(data, out var problem),
            LoadException = problem,
            InvocationData = data,
            CreatedAt = rows.Time(2),
            State = rows.TextOrNull(4),
            ParametersSnapshot = Parameters(session, id),
        };
    }

    /// <summary>All parameters of a job.</summary>
    public static Dictionary<string, string?> Parameters(Session session, long id)
    {
        using var rows = session["JobParameters"].With("@job", id).Read();
        var parameters = new Dictionary<string, string?>();
        while (rows.Next()) parameters[rows.Text(0)] = rows.TextOrNull(1);
        return parameters;
    }

    /// <summary>The state a job is in, or null.</summary>
    public static StateData? CurrentState(Session session, long id)
    {
        using var rows = session["CurrentState"].With("@job", id).Read();
        return rows.Next() ? new StateData { Name = rows.Text(0), Reason = rows.TextOrNull(1), Data = StateData(rows.Text(2)) } : null;
    }
}

/// <summary>A state as it is written: taken from Hangfire's before the transaction begins, since a state may be anybody's code.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Reason">Why, or null.</param>
/// <param name="Data">A JSON object of strings.</param>
internal sealed record StateRow(string Name, string? Reason, string Data)
{
    /// <summary>Reads a state.</summary>
    public static StateRow Of(IState state)
        => new(state.Name, state.Reason, SerializationHelper.Serialize(state.SerializeData() ?? []));
}
