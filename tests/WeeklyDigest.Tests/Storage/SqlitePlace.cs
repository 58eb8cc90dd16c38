using WeeklyDigest.Storage;
using WeeklyDigest.Storage.Sqlite;

namespace WeeklyDigest.Tests.Storage;

/// <summary>A SQLite file in a folder of its own.</summary>
public sealed class SqlitePlace : IDatabasePlace
{
    private readonly TemporaryFolder folder = new();

    /// <summary>The file; neither it nor its folder is there at first.</summary>
    public string File => folder.File("data/weeklydigest.db");

    public StorageOptions Options => new() { ConnectionString = File };

    public void Execute(string sql)
    {
        using var connection = SqliteFile.Prepare(File).Open();
        SqliteFile.Execute(connection, sql);
    }

    public void Dispose() => folder.Dispose();
}
