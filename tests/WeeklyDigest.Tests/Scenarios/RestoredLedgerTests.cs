using Microsoft.Data.Sqlite;
using Npgsql;
using WeeklyDigest.Tests.Databases;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>
/// An older copy of the ledger is put in place beside the lock file of a process that was killed later; for the program the same as a replica that had
/// lagged when it took over.
/// </summary>
public sealed class RestoredLedgerTests
{
    private const int Connections = 4;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task What_was_in_its_hands_when_the_copy_was_made_is_uncertain_and_not_sent_again(string provider)
    {
        await using var relay = ScriptedSmtpServer.Start(SlowAtTheDot);
        using var workspace = new Workspace().On(provider).WithWeek1().WithSubscribers(100).UseRelay(relay.Port, Connections);
        using (var send = workspace.Start("send", "week-1"))
        {
            await relay.WaitForAcceptedAsync(3 * Connections, Limit);
            Copy(workspace);
            // Each connection has gone on to other messages by then.
            await relay.WaitForAcceptedAsync(relay.AcceptedCount + (4 * Connections), Limit);
            send.Kill();
            await send.EndAsync(Limit);
        }
        await relay.WaitForAsync(r => r.OpenConnections == 0, Limit, "no connection outlives the process");
        Assert.Single(Directory.GetFiles(workspace.PathOf("data/locks")));
        PutBack(workspace);
        var inHand = await SendingAsync(workspace);
        Assert.InRange(inHand.Count, 1, Connections);

        Assert.Equal(3, (await workspace.RunAsync("send", "week-1")).ExitCode);
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        Assert.Equal(inHand, accounts.Rows.Where(row => row.State == "uncertain").Select(row => row.Address).ToHashSet());
        Assert.All(inHand, address => Assert.Single(relay.Accepted, message => message.Recipient == address));
        Assert.Equal((100 - inHand.Count, 0), (accounts["sent"], accounts.SentAgain.Count));
    }

    private static SmtpMove SlowAtTheDot(SmtpMoment moment)
        => moment.Stage == SmtpStage.Message ? SmtpMove.Hold(Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System), SmtpMove.Accept) : SmtpMove.Accept;

    private static async Task<HashSet<string>> SendingAsync(Workspace workspace)
        => [.. (await Accounts.ReadAsync(workspace, "week-1")).Rows.Where(row => row.State == "sending").Select(row => row.Address)];

    private static void Copy(Workspace workspace)
    {
        if (PostgresOf(workspace) is { } postgres)
        {
            SharedPostgres.Server.Execute("CREATE TABLE public.copy AS TABLE weeklydigest.delivery", postgres);
            return;
        }
        using var ledger = Open(workspace.DatabaseFile);
        using var copy = Open(workspace.PathOf("copy.db"));
        ledger.BackupDatabase(copy);
    }

    private static void PutBack(Workspace workspace)
    {
        if (PostgresOf(workspace) is { } postgres)
        {
            SharedPostgres.Server.Execute("BEGIN; DELETE FROM weeklydigest.delivery; INSERT INTO weeklydigest.delivery SELECT * FROM public.copy; COMMIT", postgres);
            return;
        }
        foreach (var file in Directory.GetFiles(workspace.PathOf("data"), "weeklydigest.db*")) File.Delete(file);
        File.Copy(workspace.PathOf("copy.db"), workspace.DatabaseFile);
    }

    // Null on SQLite.
    private static string? PostgresOf(Workspace workspace)
        => workspace.Environment.TryGetValue("Storage__ConnectionString", out var connection) ? new NpgsqlConnectionStringBuilder(connection).Database : null;

    private static SqliteConnection Open(string file)
    {
        var connection = new SqliteConnection($"Data Source={file};Pooling=False;Default Timeout=60");
        connection.Open();
        return connection;
    }
}
