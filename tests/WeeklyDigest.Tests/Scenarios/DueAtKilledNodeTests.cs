using System.Globalization;
using Npgsql;
using WeeklyDigest.Tests.Databases;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>A node on PostgreSQL that is killed with the job of a time that has come: the send begins without it.</summary>
public sealed class DueAtKilledNodeTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_next_node_begins_within_seconds_and_sends_once(bool isSchedule)
    {
        await using var relay = ScriptedSmtpServer.Start();
        using var workspace = new Workspace().On("postgres").WithWeek1().WithSubscribers(100).UseRelay(relay.Port).Set("Newsletter:Schedule:Cron", "0 9 1 1 *")
            .Set("Newsletter:BaseUrl", "https://digest.example.com").Set("Urls", "http://127.0.0.1:0");
        var killed = await KillInJobAsync(workspace, isSchedule);

        using var serve = workspace.Start("serve");
        await relay.WaitForAcceptedAsync(100, Limit);
        var took = TimeProvider.System.GetElapsedTime(killed);
        TestContext.Current.TestOutputHelper!.WriteLine($"{took} after the kill");
        Assert.InRange(took, TimeSpan.Zero, TimeSpan.FromSeconds(30));
        await Eventually.HoldsAsync(() => Count(workspace, "SELECT count(*) FROM weeklydigest.mailing WHERE state = 'sent'") == 1, "it is sent", Limit);
        (await Accounts.ReadAsync(workspace, "week-1")).AgreeWith(relay);
        Assert.Equal(100, relay.AcceptedCount);
    }

    // Whatever the job writes first waits for our lock.
    private static async Task<long> KillInJobAsync(Workspace workspace, bool isSchedule)
    {
        using var serve = workspace.Start("serve");
        await serve.PrintedAsync("/sign-in?token=", Limit);
        var at = TimeProvider.System.GetUtcNow().AddSeconds(isSchedule ? 0 : 15);
        if (!isSchedule) Assert.Equal(0, (await workspace.RunAsync("send", "week-1", "--at", at.ToString("yyyy-MM-ddTHH:mm:sszzz", CultureInfo.InvariantCulture))).ExitCode);
        await using var connection = new NpgsqlConnection(workspace.Environment["Storage__ConnectionString"]);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using var locking = new NpgsqlCommand("LOCK TABLE weeklydigest.mailing IN SHARE ROW EXCLUSIVE MODE", connection, transaction);
        await locking.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        if (isSchedule) SharedPostgres.Server.Execute($"INSERT INTO weeklydigest.occurrence (due_at, state) VALUES ({at.ToUnixTimeMilliseconds()}, 'due')", connection.Database);
        // Killed in the moment between the two, the lock of the job's state is nobody's for PostgresJobs.LockLease.
        await Eventually.HoldsAsync(() => Count(workspace, "SELECT count(*) FROM hangfire.job WHERE statename = 'Processing'") == 1, "its job runs", Limit);
        await Eventually.HoldsAsync(() => Count(workspace, "SELECT count(*) FROM hangfire.lock WHERE resource LIKE '%state-lock'") == 0, "the lock is given back", Limit);
        serve.Kill();
        await serve.EndAsync(Limit);
        return TimeProvider.System.GetTimestamp();
    }

    private static long Count(Workspace workspace, string sql)
        => SharedPostgres.Server.Scalar<long>(sql, new NpgsqlConnectionStringBuilder(workspace.Environment["Storage__ConnectionString"]).Database!);
}
