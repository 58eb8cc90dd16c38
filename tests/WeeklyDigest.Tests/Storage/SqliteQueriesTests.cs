using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;
using WeeklyDigest.Storage;
using WeeklyDigest.Storage.Sqlite;
using WeeklyDigest.Tests.Scenarios;

namespace WeeklyDigest.Tests.Storage;

public sealed partial class SqliteQueriesTests(SqliteAtScale scale) : IClassFixture<SqliteAtScale>
{
    /// <summary>Queries that go through a whole mailing, a whole list or everybody, because they are asked about just that.</summary>
    /// <remarks>AddSubscriber's plan holds a walk for references that wait for their subscriber; ours are checked at once, so it is never run.</remarks>
    private static readonly string[] Whole = ["AddSubscriber", "AddDeliveries", "Balance", "Deliveries", "Lists", "Members", "Retriable", "Subscribers"];

    public static TheoryData<string> Names => [.. Queries.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_query_is_valid_and_walks_an_index(string name)
    {
        Assert.All(scale.Plans(name), plan =>
        {
            Assert.NotEmpty(plan);
            if (Whole.Contains(name)) return;
            var walked = plan.Where(step => BigTable().IsMatch(step) && !step.Contains("INDEX delivery_", StringComparison.Ordinal));
            Assert.True(!walked.Any(), $"{name}: {string.Join(" / ", plan)}");
        });
    }

    [Theory]
    [InlineData("DueRows", "COVERING INDEX delivery_deferred")]
    [InlineData("PendingRows", "COVERING INDEX delivery_pending")]
    [InlineData("GiveUp", "delivery_pending")]
    [InlineData("HasLongWait", "delivery_deferred (mailing_id=? AND next_attempt_at>?)")]
    [InlineData("CutWaits", "delivery_deferred (mailing_id=? AND next_attempt_at>?)", "PRIMARY KEY (mailing_id=? AND subscriber_id=?)")]
    [InlineData("Rest", "delivery_pending", "delivery_deferred", "delivery_held")]
    [InlineData("Holders", "delivery_held")]
    [InlineData("Renew", "delivery_held")]
    [InlineData("Sending", "delivery_held")]
    [InlineData("HasLease", "delivery_held")]
    [InlineData("Release", "delivery_held")]
    [InlineData("LoseTrack", "delivery_held")]
    [InlineData("AbandonClaimed", "delivery_held")]
    [InlineData("NextAttempt", "delivery_deferred")]
    [InlineData("Due", "delivery_pending", "delivery_deferred", "delivery_held")]
    [InlineData("ChangeState", "delivery_pending", "delivery_deferred", "delivery_held")]
    [InlineData("Abandon", "delivery_pending", "delivery_deferred")]
    [InlineData("LeftAlone", "COVERING INDEX delivery_pending", "COVERING INDEX delivery_deferred")]
    [InlineData("Waiting", "COVERING INDEX delivery_pending", "COVERING INDEX delivery_deferred")]
    [InlineData("OpenRows", "COVERING INDEX delivery_pending", "COVERING INDEX delivery_deferred", "INDEX delivery_held")]
    public void What_the_engine_asks_all_the_time_walks_a_partial_index(string name, params string[] indexes)
    {
        foreach (var plan in scale.Plans(name)) Assert.All(indexes, index => Assert.Contains(index, string.Join(" / ", plan), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("DueRows")]
    [InlineData("PendingRows")]
    [InlineData("MailboxRefusalsBefore")]
    [InlineData("NextAttempt")]
    [InlineData("Rest")]
    [InlineData("Deliveries")]
    [InlineData("Members")]
    [InlineData("Subscribers")]
    public void What_is_asked_in_portions_is_not_sorted_for_each(string name)
        => Assert.All(scale.Plans(name), plan => Assert.DoesNotContain("TEMP B-TREE", string.Join(" / ", plan), StringComparison.Ordinal));

    [Theory]
    [InlineData("Alarms")]
    [InlineData("LeftAlone")]
    [InlineData("OpenRows")]
    [InlineData("Waiting")]
    public void What_waits_of_certain_domains_is_counted_in_one_walk_however_many_they_are(string name)
        => Assert.All(scale.Plans(name), plan => Assert.DoesNotContain("CORRELATED", string.Join(" / ", plan), StringComparison.Ordinal));

    // Under their names and the letters the queries give them; lists and mailings are few.
    [GeneratedRegex(@"^SCAN (delivery|subscriber|membership|s|own)\b|^SEARCH (delivery|d) USING PRIMARY KEY \(mailing_id=\?\)")]
    private static partial Regex BigTable();
}

/// <summary>Two databases: one as a new installation has it, and a large one in the middle of a mailing, with statistics, which somebody may have made at any time.</summary>
public sealed partial class SqliteAtScale : IDisposable
{
    private static readonly int Rows = Scale.Of(20_000, 1_000_000);
    private readonly SqlitePlace fresh = Migrated();
    private readonly SqlitePlace large = Migrated();

    public SqliteAtScale() => large.Execute($"""
        BEGIN;
        INSERT INTO list (name, created_at) VALUES ('readers', 0);
        INSERT INTO mailing (issue, permalink, state, content_hash, created_at) VALUES ('week-1', '/x', 'sending', 'h', 0), ('week-2', '/y', 'sent', 'h', 0);
        INSERT INTO domain (name) VALUES ('example.org');
        INSERT INTO alarm VALUES (1, 7, 20, 20, 'no', 0, 0, 0);
        CREATE TEMP TABLE number AS WITH RECURSIVE counted(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM counted WHERE i < {Rows}) SELECT i FROM counted;
        INSERT INTO subscriber (address, domain_id, status, created_at, updated_at) SELECT 'r' || i || '@example.org', 1, 'active', 0, 0 FROM number;
        INSERT INTO membership SELECT 1, i FROM number;
        INSERT INTO suppression SELECT 'gone' || i || '@example.org', 'bounced', 'relay', 0 FROM number WHERE i % 10 = 0;
        INSERT INTO delivery (mailing_id, subscriber_id, domain_id, state, owner, lease_until, next_attempt_at, updated_at)
        SELECT 1, i, 1, CASE WHEN i <= {Rows} / 5 * 3 THEN 'sent' WHEN i % 1000 = 1 THEN 'deferred' WHEN i % 1000 = 2 THEN 'failed' WHEN i % 1000 = 3 THEN 'sending' ELSE 'pending' END,
               CASE WHEN i > {Rows} / 5 * 3 AND i % 1000 = 3 THEN 'node-1' END, CASE WHEN i > {Rows} / 5 * 3 AND i % 1000 = 3 THEN 9 END,
               CASE WHEN i > {Rows} / 5 * 3 AND i % 1000 = 1 THEN 5 * i END, 0
        FROM number;
        COMMIT;
        ANALYZE;
        """);

    /// <summary>The steps of a query's plan on each.</summary>
    public IReadOnlyList<List<string>> Plans(string name) => [Plan(fresh, name), Plan(large, name)];

    public void Dispose()
    {
        fresh.Dispose();
        large.Dispose();
    }

    private static SqlitePlace Migrated()
    {
        var place = new SqlitePlace();
        Database.Open(place.Options, TimeProvider.System).Dispose();
        return place;
    }

    private static List<string> Plan(SqlitePlace place, string name)
    {
        using var connection = SqliteFile.Prepare(place.File).Open();
        using var command = connection.CreateCommand();
        command.CommandText = "EXPLAIN QUERY PLAN " + Queries.Get(name);
        foreach (var parameter in Parameter().Matches(command.CommandText).Select(match => match.Value).Distinct()) command.Parameters.Add(new SqliteParameter(parameter, DBNull.Value));
        using var rows = command.ExecuteReader();
        var steps = new List<string>();
        while (rows.Read()) steps.Add(rows.GetString(3));
        return steps is [] ? ["nothing to search"] : steps;
    }

    [GeneratedRegex(@"@\w+")]
    private static partial Regex Parameter();
}
