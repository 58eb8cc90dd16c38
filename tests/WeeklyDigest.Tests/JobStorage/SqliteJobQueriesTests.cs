using Hangfire.Storage.SQLite;
using Hangfire.Storage.SQLite.Database;

namespace WeeklyDigest.Tests.JobStorage;

public sealed class SqliteJobQueriesTests : IDisposable
{
    // What has to look at every row, and how few there are.
    private static readonly Dictionary<string, string> Scans = new()
    {
        ["OtherOwners"] = "one row a process",
        ["Servers"] = "one row a server",
        ["CountServers"] = "one row a server",
        ["RemoveSilentServers"] = "one row a server",
        ["ReserveJobId"] = "one row a table",
        ["QueueLengths"] = "jobs that wait: the dashboard's page of queues counts them, in an index",
        ["CountQueues"] = "as QueueLengths",
    };

    private readonly SqliteJobPlace place = new();

    public static TheoryData<string> Names => [.. Queries.Names];

    public void Dispose() => place.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public void A_query_finds_its_rows_by_an_index(string name)
    {
        using var storage = (SQLiteStorage)place.Open();
        var plan = storage.Database.Write(session =>
        {
            using var rows = session.Plain("EXPLAIN QUERY PLAN " + Queries.Get(name)).Read();
            var steps = new List<string>();
            while (rows.Next()) steps.Add(rows.Text(3));
            return steps;
        });
        var scans = plan.Where(step => step.StartsWith("SCAN", StringComparison.Ordinal) && !step.Contains("CONSTANT ROW", StringComparison.Ordinal)
            && step is not ("SCAN q" or "SCAN j" or "SCAN (subquery-1)" or "SCAN (subquery-2)")).ToList();
        if (Scans.ContainsKey(name)) Assert.NotEmpty(scans);
        else Assert.True(scans.Count == 0, string.Join('\n', plan));
    }
}
