using Npgsql;
using WeeklyDigest.Storage.Postgres;

namespace WeeklyDigest.Tests.Storage;

/// <summary>A node that stands still, or is gone, in the middle of a change: frozen, asleep, without its network.</summary>
public sealed class PostgresStandstillTests : StorageSuite<PostgresPlace>
{
    [Theory]
    [InlineData("idle_in_transaction_session_timeout", "15s")]
    [InlineData("tcp_keepalives_idle", "10")]
    [InlineData("tcp_keepalives_interval", "5")]
    [InlineData("tcp_keepalives_count", "3")]
    public async Task A_session_says_for_how_long_it_may_stand_still_and_when_it_counts_as_lost(string setting, string value)
    {
        using var server = PostgresServer.Prepare(Place.Options.ConnectionString);
        Assert.Equal(value, await server.RunAsync(connection => ScalarAsync(connection, "SHOW " + setting), Cancel));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_change_that_stood_still_keeps_the_others_for_a_while_only_and_is_made_again(bool beforeItsCommit)
    {
        using var server = PostgresServer.Prepare(Place.Options.ConnectionString + ";Options=-c idle_in_transaction_session_timeout=200");
        var tries = 0;
        await server.TransactAsync(
            async connection =>
            {
                PostgresServer.Execute(connection, Queries.Get("CloseGate"));
                if (++tries > 1) return "";
                // Passes the gate, too: when the server has ended ours.
                await Subscribers.UnsubscribeAsync(Address("ann@example.org"), "link", Cancel);
                return beforeItsCommit ? "" : await ScalarAsync(connection, "SELECT ''");
            },
            Cancel);
        Assert.Equal(2, tries);
    }

    private static async Task<string> ScalarAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (string)(await command.ExecuteScalarAsync(Cancel))!;
    }
}
