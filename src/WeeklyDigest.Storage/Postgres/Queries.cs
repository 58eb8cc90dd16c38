using Dapper;

namespace WeeklyDigest.Storage.Postgres;

/// <summary>The named statements of Postgres/Queries/*.sql.</summary>
internal static class Queries
{
    private static readonly NamedQueries All = new("Postgres");

    /// <summary>The names of all statements.</summary>
    public static IEnumerable<string> Names => All.Names;

    /// <summary>A statement that may take as long as it takes, since it goes through a whole mailing.</summary>
    public static CommandDefinition Unhurried(string name, object parameters) => new(Get(name), parameters, commandTimeout: 0);

    /// <summary>The statement of a name.</summary>
    public static string Get(string name) => All.Get(name);
}
