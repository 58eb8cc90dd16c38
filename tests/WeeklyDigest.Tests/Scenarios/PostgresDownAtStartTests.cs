using Npgsql;
using WeeklyDigest.Tests.Databases;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>The database server goes away while <c>serve</c> starts: it listens already, and has not said so yet.</summary>
public sealed class PostgresDownAtStartTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    // One of its own: stopping the shared one would stop the others' tests.
    private readonly PrivatePostgres server = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => server.Dispose();

    [Fact]
    public async Task A_server_that_goes_away_before_the_addresses_are_printed_is_waited_for_and_is_no_crash()
    {
        using var workspace = new Workspace().WithWeek1().WithSubscribers(3).OnDatabase(server.CreateDatabase())
            .Set("Newsletter:BaseUrl", "https://digest.example.com").Set("Urls", "http://127.0.0.1:0");
        // The first start makes the keys, which stand in the same table as the links.
        using (var first = workspace.Start("serve"))
        {
            await first.PrintedAsync("/sign-in?token=", Limit);
            first.Kill();
        }
        RunningProgram serve;
        await using (var other = new NpgsqlConnection(server.ConnectionString("test_1") + ";Pooling=false"))
        {
            await other.OpenAsync(Cancel);
            await using var locking = new NpgsqlCommand("BEGIN; LOCK TABLE weeklydigest.secret IN SHARE MODE", other);
            await locking.ExecuteNonQueryAsync(Cancel);
            serve = workspace.Start("serve");
            await Eventually.HoldsAsync(() => server.Scalar<bool>("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'weeklydigest.secret'::regclass)", "test_1"), "it makes a link", Limit);
            server.Stop();
        }
        await Eventually.HoldsAsync(() => serve.Error.Contains("This is waited for", StringComparison.Ordinal), "it says so", Limit);
        server.Start();
        await serve.PrintedAsync("/sign-in?token=", Limit);
        // The ledger's watch may have been looking just then, and says so in a line.
        Assert.DoesNotMatch("(?m)^crit:|Exception|   at ", serve.Error);
    }
}
