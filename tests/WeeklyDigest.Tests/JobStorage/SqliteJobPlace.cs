using Hangfire.InMemory;
using Hangfire.Storage.SQLite;

namespace WeeklyDigest.Tests.JobStorage;

/// <summary>A SQLite file in a folder of its own.</summary>
public sealed class SqliteJobPlace : IJobStoragePlace
{
    private readonly TemporaryFolder folder = new();

    /// <summary>The file; neither it nor its folder is there at first.</summary>
    public string File => folder.File("data/jobs.db");

    public Hangfire.JobStorage Open() => new SQLiteStorage(File);

    public void Dispose() => folder.Dispose();
}

/// <summary>Hangfire's own storage in memory.</summary>
public sealed class InMemoryJobPlace : IJobStoragePlace
{
    public Hangfire.JobStorage Open() => new InMemoryStorage();

    public void Dispose() => GC.SuppressFinalize(this);
}
