using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;
using WeeklyDigest.Storage.Sqlite;

namespace WeeklyDigest.Tests.Storage;

public sealed partial class SqliteQueriesTests : StorageSuite<SqlitePlace>
{
    /// <summary>Queries that go through a whole mailing, a whole list or everybody, because they are asked about just that.</summary>
    /// <remarks>AddSubscriber's plan holds a walk for references that wait for their subscriber; ours are checked at once, so it is never run.</remarks>
    private static readonly string[] Whole = ["AddSubscriber", "AddDeliveries", "Balance", "Deliveries", "Lists", "Members", "Subscribers"];

    public static TheoryData<string> Names => [.. Queries.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_query_is_valid_and_walks_an_index(string name)
    {
        var plan = Plan(name);
        Assert.NotEmpty(plan);
        if (Whole.Contains(name)) return;
        var walked = plan.Where(step => BigTable().IsMatch(step) && !step.Contains("INDEX delivery_", StringComparison.Ordinal));
        Assert.True(!walked.Any(), $"{name}: {string.Join(" / ", plan)}");
    }

    [Theory]
    [InlineData("DueRows", "COVERING INDEX delivery_deferred")]
    [InlineData("PendingRows", "COVERING INDEX delivery_pending")]
    [InlineData("GiveUp", "delivery_pending")]
    [InlineData("Rest", "delivery_pending", "delivery_deferred", "delivery_held")]
    [InlineData("Holders", "delivery_held")]
    [InlineData("Renew", "delivery_held")]
    [InlineData("Sending", "delivery_held")]
    [InlineData("Release", "delivery_held")]
    [InlineData("LoseTrack", "delivery_held")]
    [InlineData("NextAttempt", "delivery_deferred")]
    [InlineData("Due", "delivery_pending", "delivery_deferred", "delivery_held")]
    [InlineData("ChangeState", "delivery_pending", "delivery_deferred", "delivery_held")]
    public void What_the_engine_asks_all_the_time_walks_a_partial_index(string name, params string[] indexes)
    {
        var plan = string.Join(" / ", Plan(name));
        Assert.All(indexes, index => Assert.Contains(index, plan, StringComparison.Ordinal));
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
        => Assert.DoesNotContain("TEMP B-TREE", string.Join(" / ", Plan(name)), StringComparison.Ordinal);

    private List<string> Plan(string name)
    {
        using var connection = SqliteFile.Prepare(Place.File).Open();
        using var command = connection.CreateCommand();
        command.CommandText = "EXPLAIN QUERY PLAN " + Queries.Get(name);
        foreach (var parameter in Parameters(command.CommandText)) command.Parameters.Add(new SqliteParameter(parameter, DBNull.Value));
        using var rows = command.ExecuteReader();
        var steps = new List<string>();
        while (rows.Read()) steps.Add(rows.GetString(3));
        return steps is [] ? ["nothing to search"] : steps;
    }

    private static IEnumerable<string> Parameters(string sql)
        => Parameter().Matches(sql).Select(match => match.Value).Distinct();

    // Under their names and the letters the queries give them; lists and mailings are few.
    [GeneratedRegex(@"^SCAN (delivery|subscriber|membership|s|own)\b|^SEARCH (delivery|d) USING PRIMARY KEY \(mailing_id=\?\)")]
    private static partial Regex BigTable();

    [GeneratedRegex(@"@\w+")]
    private static partial Regex Parameter();
}
