using System.Globalization;
using Microsoft.Data.Sqlite;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>The ledger's file as another program sees it: for what is to be known between two moments, and for taking it away.</summary>
internal static class LedgerFile
{
    /// <summary>The first column of the first row, as text; empty when there is none.</summary>
    public static string Text(Workspace workspace, string sql)
    {
        using var connection = Open(workspace);
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToString(command.ExecuteScalar(), CultureInfo.InvariantCulture) ?? "";
    }

    /// <summary>Counts the deliveries that are in one of these states.</summary>
    public static int Count(Workspace workspace, params string[] states)
        => int.Parse(Text(workspace, $"SELECT count(*) FROM delivery WHERE state IN ('{string.Join("', '", states)}')"), CultureInfo.InvariantCulture);

    /// <summary>Takes the whole file until the result is disposed of.</summary>
    public static IDisposable Lock(Workspace workspace)
    {
        var connection = Open(workspace);
        using var command = connection.CreateCommand();
        command.CommandText = "BEGIN EXCLUSIVE";
        command.ExecuteNonQuery();
        return connection;
    }

    private static SqliteConnection Open(Workspace workspace)
    {
        var connection = new SqliteConnection($"Data Source={workspace.DatabaseFile};Pooling=False;Default Timeout=60");
        connection.Open();
        return connection;
    }
}
