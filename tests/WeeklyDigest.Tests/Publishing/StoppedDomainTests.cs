using Microsoft.Data.Sqlite;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>A receiving domain that refuses a run twenty times in a row, while the ledger has counted fewer.</summary>
public sealed class StoppedDomainTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_is_left_alone_although_it_accepted_a_message_of_another_process_in_between()
    {
        var goesOn = new TaskCompletionSource();
        await using var place = Open("r5@example.org", goesOn);
        var mailing = await place.PublishAsync(40);
        var running = RunAsync(place, mailing);
        await ArrivesAsync(place, "r5@example.org");
        await AcceptElsewhereAsync(place.Database.Ledger, mailing);
        goesOn.SetResult();
        var result = await running;

        Assert.Equal((MailingState.Paused, 20L, 1L, 19L), (result.State, result.Balance.Failed, result.Balance.Sent, result.Balance.Pending));
        Assert.StartsWith("example.org refused ", result.StateReason, StringComparison.Ordinal);
        Assert.NotNull(Assert.Single(await place.Database.Mailings.AlarmsAsync(mailing, 10, Cancel)).StoppedAt);
    }

    [Fact]
    public async Task It_is_asked_again_when_the_last_refusal_was_not_taken()
    {
        var goesOn = new TaskCompletionSource();
        await using var place = Open("r20@example.org", goesOn);
        var mailing = await place.PublishAsync(40);
        var running = RunAsync(place, mailing);
        await ArrivesAsync(place, "r20@example.org");
        // As if its claim had been taken over.
        await Eventually.HoldsAsync(() => Execute(place, "UPDATE delivery SET stamp = stamp + 1 WHERE state = 'sending' AND subscriber_id = 20") == 1, "the last one is marked");
        goesOn.SetResult();
        var result = await running;

        // What was claimed by then is still sent.
        Assert.InRange(result.Balance.Failed, 20, 30);
        Assert.Equal((MailingState.Paused, 1L), (result.State, result.Balance.Uncertain));
        Assert.StartsWith($"example.org refused {result.Balance.Failed} messages in a row", result.StateReason, StringComparison.Ordinal);
    }

    private static EnginePlace Open(string held, TaskCompletionSource goesOn)
    {
        var refusal = SmtpMove.Reply("554 5.7.1 blocked");
        return EnginePlace.Open(moment => moment.Stage != SmtpStage.RcptTo ? SmtpMove.Accept : moment.Recipient == held ? SmtpMove.Hold(goesOn.Task, refusal) : refusal);
    }

    private static Task<DeliveryRunResult> RunAsync(EnginePlace place, long mailing) => place.Start(relay => relay with { Connections = 1 }).RunAsync(mailing);

    private static Task ArrivesAsync(EnginePlace place, string recipient)
        => place.Server.WaitForAsync(server => server.Commands.Any(command => command.Line.Contains(recipient, StringComparison.Ordinal)), Limit, recipient);

    /// <summary>What another process does that began when the domain had refused already.</summary>
    private static async Task AcceptElsewhereAsync(ILedger ledger, long mailing)
    {
        var now = TimeProvider.System.GetUtcNow();
        var row = (await ledger.ClaimAsync(new ClaimRequest(mailing, 1, new Claimant("another", now, now.AddMinutes(1))), Cancel)).Deliveries.Single();
        var mark = new LedgerWrite(row.Id, row.Stamp, DeliveryState.Claimed, DeliveryState.Sending, CountAttempt: false, null, null, now);
        await ledger.WriteAsync([mark, mark with { From = DeliveryState.Sending, To = DeliveryState.Sent, CountAttempt = true, Reply = "250 ok", EndsRefusals = true }], Cancel);
    }

    private static int Execute(EnginePlace place, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(place.DataFolder, "weeklydigest.db")};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteNonQuery();
    }
}
