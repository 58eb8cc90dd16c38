using Dapper;

namespace WeeklyDigest.Storage.Postgres;

/// <summary>The named statements of Postgres/Queries/*.sql.</summary>
internal static class Queries
{
    private static readonly NamedQueries All = new("Postgres");

    /// <summary>The names of all statements.</summary>
    public static IEnumerable<string> Names => All.Names;

    /// <summary>A statement that may take as long as it takes, since it goes through a whole mailing or list.</summary>
    /// <param name="name">The name.</param>
    /// <param name="parameters">Its parameters.</param>
    /// <param name="cancel">Breaks it off. For a read: a change is not lost because whoever asked for it has stopped waiting.</param>
    public static CommandDefinition Unhurried(string name, object? parameters = null, CancellationToken cancel = default)
        => new(Get(name), parameters, commandTimeout: 0, cancellationToken: cancel);

    /// <summary>The statement of a name.</summary>
    public static string Get(string name) => All.Get(name);
}
