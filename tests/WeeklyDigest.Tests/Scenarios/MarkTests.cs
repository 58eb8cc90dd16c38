using System.Collections.Concurrent;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>What the ledger says in the moment a relay is asked to take a message.</summary>
public sealed class MarkTests
{
    [Fact]
    public async Task Before_DATA_the_mark_is_in_the_file_and_no_more_rows_are_marked_than_connections_are_open()
    {
        var seen = new ConcurrentQueue<(string Recipient, string State, int Marked)>();
        using var workspace = new Workspace().WithWeek1().WithSubscribers(200);
        await using var relay = ScriptedSmtpServer.Start(moment =>
        {
            if (moment.Stage == SmtpStage.Data) seen.Enqueue((moment.Recipient, State(workspace, moment.Recipient), LedgerFile.Count(workspace, "sending")));
            return SmtpMove.Accept;
        });
        workspace.UseRelay(relay.Port, 3);

        Assert.Equal(0, (await workspace.RunAsync("send", "week-1")).ExitCode);

        Assert.Equal(200, seen.Count);
        Assert.All(seen, moment => Assert.Equal("sending", moment.State));
        Assert.All(seen, moment => Assert.InRange(moment.Marked, 1, 3));
        (await Accounts.ReadAsync(workspace, "week-1")).AgreeWith(relay);
    }

    private static string State(Workspace workspace, string recipient)
        => LedgerFile.Text(workspace, $"SELECT d.state FROM delivery d JOIN subscriber s ON s.id = d.subscriber_id WHERE s.address = '{recipient}'");
}
