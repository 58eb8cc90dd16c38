using System.Globalization;
using Microsoft.Data.Sqlite;
using Npgsql;
using WeeklyDigest.Tests.Databases;

namespace WeeklyDigest.Tests.Commands;

public sealed class LostTablesTests : IDisposable
{
    private readonly Workspace workspace = new Workspace().WithWeek1().WithSubscribers(3).Set("Newsletter:BaseUrl", "https://digest.example.com").Set("Urls", "http://127.0.0.1:0");

    public void Dispose() => workspace.Dispose();

    [Theory]
    [InlineData("sqlite", "DROP TABLE delivery", "index delivery_deferred, index delivery_held, index delivery_pending, table delivery")]
    [InlineData("sqlite", "DROP TABLE sent_by; DROP INDEX delivery_held", "index delivery_held, table sent_by")]
    [InlineData("sqlite", "ALTER TABLE mailing DROP COLUMN issue_hash", "column mailing.issue_hash")]
    [InlineData("sqlite", "DROP TABLE schema_version", "table schema_version")]
    [InlineData("postgres", "DROP TABLE weeklydigest.sent_by CASCADE", "table sent_by")]
    [InlineData("postgres", "DROP TABLE weeklydigest.subscriber CASCADE", "table subscriber")]
    [InlineData("postgres", "DROP TABLE weeklydigest.mailing CASCADE", "index mailing_by_permalink, table mailing")]
    [InlineData("postgres", "DROP FUNCTION weeklydigest.clock_ms() CASCADE; DROP INDEX weeklydigest.delivery_held", "function clock_ms, index delivery_held")]
    public async Task Neither_serve_nor_send_begins_with_a_ledger_that_has_lost_something_and_both_say_what_doctor_says(string provider, string damage, string lost)
    {
        workspace.On(provider);
        Assert.Equal(0, (await workspace.RunHereAsync("subscribers", "add", "ada@example.org", "--list", "all")).ExitCode);
        Damage(provider, damage);
        var words = $" has lost what belongs to its schema: {lost}. Stop every server and put a backup back. Nothing can be sent until then.";
        foreach (var command in (string[][])[["serve"], ["send", "week-1"]])
        {
            var result = await workspace.RunHereAsync(command);
            Assert.Equal((1, ""), (result.ExitCode, result.Out));
            Assert.EndsWith(words, result.Error.TrimEnd(), StringComparison.Ordinal);
            Assert.StartsWith("The database ", result.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("\n", result.Error.TrimEnd(), StringComparison.Ordinal);
        }
        Assert.Contains(words, (await workspace.RunHereAsync("doctor")).Out, StringComparison.Ordinal);
    }

    private void Damage(string provider, string sql)
    {
        if (provider == "postgres")
        {
            SharedPostgres.Server.Execute(sql, new NpgsqlConnectionStringBuilder(workspace.Environment["Storage__ConnectionString"]).Database!);
            return;
        }
        using var connection = new SqliteConnection(string.Create(CultureInfo.InvariantCulture, $"Data Source={workspace.DatabaseFile};Pooling=False"));
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
