using Npgsql;
using WeeklyDigest.Storage.Postgres;
using WeeklyDigest.Tests.Databases;

namespace WeeklyDigest.Tests.Storage;

/// <summary>What a session may rely on, whatever the server is set to while the program runs.</summary>
public sealed class PostgresSessionTests : IDisposable
{
    private const string Ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'";

    // More often than a process has connections.
    private const int Often = 30;

    // One of its own: its settings are everybody's there.
    private readonly PrivatePostgres server = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => server.Dispose();

    [Fact]
    public async Task A_commit_is_waited_for_whatever_the_server_the_database_and_the_user_are_set_to_meanwhile()
    {
        using var ours = PostgresServer.Prepare(server.ConnectionString("postgres"));
        var before = await WaitsAsync(ours);
        Assert.Equal("on", before.Setting);

        server.Execute("ALTER SYSTEM SET synchronous_commit = off");
        server.Execute($"ALTER ROLE {PrivatePostgres.Username} SET synchronous_commit = off; ALTER DATABASE postgres SET synchronous_commit = off; SELECT pg_reload_conf()");
        await Eventually.HoldsAsync(() => server.Scalar<string>("SHOW synchronous_commit", "postgres") == "off", "it is switched off for others");
        Assert.Equal(before, await WaitsAsync(ours));

        server.Execute(Ending);
        var after = await WaitsAsync(ours);
        Assert.NotEqual(before.Session, after.Session);
        Assert.Equal("on", after.Setting);
        server.Crash();
        server.Start();
        Assert.Equal("on", (await WaitsAsync(ours)).Setting);
    }

    [Fact]
    public async Task What_a_session_was_set_to_ends_with_its_use()
    {
        using var ours = PostgresServer.Prepare(server.ConnectionString("postgres"));
        var before = await WaitsAsync(ours, "SET synchronous_commit = off");
        Assert.Equal("off", before.Setting);
        Assert.Equal(before with { Setting = "on" }, await WaitsAsync(ours));
    }

    [Theory]
    [InlineData("remote_write")]
    [InlineData("remote_apply")]
    [InlineData("local")]
    public async Task What_the_connection_string_asks_for_instead_is_kept(string setting)
    {
        using var ours = PostgresServer.Prepare(server.ConnectionString("postgres") + $";Options=-c synchronous_commit={setting}");
        Assert.Equal(setting, (await WaitsAsync(ours)).Setting);
        server.Execute("ALTER SYSTEM SET synchronous_commit = off");
        server.Execute("SELECT pg_reload_conf()");
        server.Execute(Ending);
        Assert.Equal(setting, (await WaitsAsync(ours)).Setting);
    }

    [Fact]
    public async Task A_server_that_comes_back_set_to_lose_commits_is_not_used_until_it_is_set_right()
    {
        using var ours = PostgresServer.Prepare(server.ConnectionString("postgres"));
        await WaitsAsync(ours);
        server.Execute("ALTER SYSTEM SET fsync = off");
        server.Stop();
        server.Start();
        for (var attempt = 0; attempt < Often; attempt++)
        {
            var refusal = await Assert.ThrowsAsync<StorageException>(() => WaitsAsync(ours));
            Assert.Equal($"The program cannot use the database postgres on 127.0.0.1:{server.Port}: fsync is off, so that a power failure can lose what was sent; set fsync = on in postgresql.conf.", refusal.Message);
            // Whoever writes the ledger waits for it, and goes on.
            Assert.False(refusal.IsLasting);
        }
        Assert.Throws<StorageException>(() => ours.Alone(() => true));

        server.Execute("ALTER SYSTEM RESET fsync");
        server.Execute("SELECT pg_reload_conf()");
        await Eventually.HoldsAsync(() => server.Scalar<string>("SHOW fsync", "postgres") == "on", "it is set right");
        Assert.Equal("on", (await WaitsAsync(ours)).Setting);
        Assert.True(ours.Alone(() => true));
    }

    [Fact]
    public async Task Of_several_servers_that_would_lose_commits_it_is_said_too()
    {
        using var ours = PostgresServer.Prepare(server.ConnectionString("postgres") + ";Host='127.0.0.1,127.0.0.1';Target Session Attributes=primary");
        Assert.Equal("on", (await WaitsAsync(ours)).Setting);
        server.Execute("ALTER SYSTEM SET fsync = off");
        server.Execute("SELECT pg_reload_conf()");
        await Eventually.HoldsAsync(() => server.Scalar<string>("SHOW fsync", "postgres") == "off", "it is switched off");
        ours.Source.Clear();
        var refusal = await Assert.ThrowsAsync<StorageException>(() => WaitsAsync(ours));
        Assert.EndsWith(": fsync is off, so that a power failure can lose what was sent; set fsync = on in postgresql.conf.", refusal.Message, StringComparison.Ordinal);
        Assert.False(refusal.IsAway);
    }

    // Which session it is, and when a commit returns there.
    private static Task<(int Session, string Setting)> WaitsAsync(PostgresServer ours, string first = "SELECT 1") => ours.RunAsync(
        async connection =>
        {
            PostgresServer.Execute(connection, first);
            await using var command = new NpgsqlCommand("SELECT pg_backend_pid(), current_setting('synchronous_commit')", connection);
            await using var rows = await command.ExecuteReaderAsync(Cancel);
            await rows.ReadAsync(Cancel);
            return (rows.GetInt32(0), rows.GetString(1));
        },
        Cancel);
}
