using System.Data.Common;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Server.Commands;

/// <summary>Looks for the database without opening it, for commands that use one but need none.</summary>
internal static class DatabaseFile
{
    /// <summary>Whether the database file is there; a server is taken to be.</summary>
    public static bool Exists(StorageOptions options) => options.Provider != "sqlite" || File.Exists(PathOf(options.ConnectionString));

    private static string PathOf(string connection)
        => connection.Contains('=', StringComparison.Ordinal)
            ? (string)new DbConnectionStringBuilder { ConnectionString = connection }["Data Source"]
            : connection;
}
