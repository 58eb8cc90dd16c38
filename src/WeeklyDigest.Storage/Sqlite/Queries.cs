namespace WeeklyDigest.Storage.Sqlite;

/// <summary>The named statements of Sqlite/Queries/*.sql.</summary>
internal static class Queries
{
    private static readonly NamedQueries All = new("Sqlite");

    /// <summary>The names of all statements.</summary>
    public static IEnumerable<string> Names => All.Names;

    /// <summary>The statement of a name.</summary>
    public static string Get(string name) => All.Get(name);
}
