using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>Several callers, several processes, and those who leave in the middle.</summary>
public sealed class SharedRunTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Twenty_callers_join_one_run()
    {
        await using var place = EnginePlace.Open();
        var mailing = await place.PublishAsync(500);
        var process = place.Start();
        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => process.RunAsync(mailing)))).WaitAsync(Limit, Cancel);

        Assert.All(results, result => Assert.Equal((MailingState.Sent, 500L), (result.State, result.Balance.Sent)));
        Assert.Equal(500, (await place.ReconcileAsync(mailing)).Sent);
        Assert.InRange(place.Server.MostOpenConnections, 1, 4);
    }

    [Fact]
    public async Task Two_processes_share_a_mailing_without_a_duplicate()
    {
        var both = new TaskCompletionSource();
        await using var place = EnginePlace.Open(moment => moment.Stage == SmtpStage.Message ? SmtpMove.Hold(both.Task, SmtpMove.Accept) : SmtpMove.Accept);
        var mailing = await place.PublishAsync(2000);
        var (one, other) = (place.Start(), place.Start());
        var running = Task.WhenAll(one.RunAsync(mailing), other.RunAsync(mailing));
        await place.Server.WaitForAsync(server => server.OpenConnections > 4, Limit, "connections of both");
        both.SetResult();
        var results = await running.WaitAsync(Limit, Cancel);

        Assert.All(results, result => Assert.Equal((MailingState.Sent, 2000L), (result.State, result.Balance.Sent)));
        Assert.Equal(2000, (await place.ReconcileAsync(mailing)).Sent);
        Assert.InRange(place.Server.MostOpenConnections, 5, 8);
    }

    [Fact]
    public async Task Two_mailings_share_the_connections_of_a_process()
    {
        await using var place = EnginePlace.Open();
        var first = await place.PublishAsync(400);
        var second = await place.PublishAsync(400, "week-2");
        var process = place.Start();
        await Task.WhenAll(process.RunAsync(first), process.RunAsync(second)).WaitAsync(Limit, Cancel);

        Assert.Equal(800, place.Server.AcceptedCount);
        Assert.InRange(place.Server.MostOpenConnections, 1, 4);
        Assert.Equal((400L, 400L), ((await place.BalanceAsync(first)).Sent, (await place.BalanceAsync(second)).Sent));
    }

    [Fact]
    public async Task One_caller_that_gives_up_does_not_stop_the_others()
    {
        var hold = new TaskCompletionSource();
        await using var place = EnginePlace.Open(moment => moment.Stage == SmtpStage.Message ? SmtpMove.Hold(hold.Task, SmtpMove.Accept) : SmtpMove.Accept);
        var mailing = await place.PublishAsync(50);
        var process = place.Start();
        using var impatience = new CancellationTokenSource();
        var impatient = process.RunUntilAsync(mailing, impatience.Token);
        var patient = process.RunAsync(mailing);
        await place.Server.WaitForAsync(server => server.OpenConnections > 0, Limit, "a connection");
        await impatience.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient.WaitAsync(Limit, Cancel));
        hold.SetResult();
        Assert.Equal(50, (await patient.WaitAsync(Limit, Cancel)).Balance.Sent);
    }

    [Fact]
    public async Task Cancelling_drains_so_that_no_row_is_left_in_between()
    {
        await using var place = EnginePlace.Open();
        var mailing = await place.PublishAsync(3000);
        var process = place.Start();
        using var stop = new CancellationTokenSource();
        var running = process.RunUntilAsync(mailing, stop.Token);
        await place.Server.WaitForAcceptedAsync(200, Limit);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(Limit, Cancel));
        var balance = await place.ReconcileAsync(mailing);
        Assert.Equal((0L, 0L, 0L), (balance.Claimed, balance.Sending, balance.Uncertain));
        Assert.InRange(balance.Pending, 1, 2800);

        Assert.Equal(MailingState.Sent, (await process.RunAsync(mailing)).State);
        Assert.Equal(3000, (await place.ReconcileAsync(mailing)).Attempts);
    }

    [Fact]
    public async Task A_pause_from_another_process_stops_it_within_a_second_or_two()
    {
        await using var place = EnginePlace.Open();
        var mailing = await place.PublishAsync(5000);
        var running = place.Start().RunAsync(mailing);
        await place.Server.WaitForAcceptedAsync(100, Limit);
        await place.Database.Mailings.ChangeStateAsync(mailing, [MailingState.Sending], MailingState.Paused, "by hand", place.Time.GetUtcNow(), Cancel);
        var paused = place.Time.GetTimestamp();
        var result = await running.WaitAsync(Limit, Cancel);

        Assert.InRange(place.Time.GetElapsedTime(paused), TimeSpan.Zero, TimeSpan.FromSeconds(5));
        Assert.Equal((MailingState.Paused, "by hand"), (result.State, result.StateReason));
        var balance = await place.ReconcileAsync(mailing);
        Assert.Equal((0L, 0L), (balance.Claimed, balance.Sending));
        Assert.InRange(balance.Pending, 1, 4900);
    }

    [Fact]
    public async Task Who_unsubscribes_in_the_middle_gets_nothing_any_more()
    {
        await using var place = EnginePlace.Open();
        var mailing = await place.PublishAsync(4000);
        var last = (await place.DeliveriesAsync(mailing)).TakeLast(100).ToList();
        // The second half waits for the first of them, else a fast relay would have had everybody by then.
        var someLeft = new TaskCompletionSource();
        place.Server.Script = moment => moment.Stage == SmtpStage.RcptTo && place.Server.AcceptedCount >= 2000 ? SmtpMove.Hold(someLeft.Task, SmtpMove.Accept) : SmtpMove.Accept;
        var running = place.Start().RunAsync(mailing);
        await place.Server.WaitForAcceptedAsync(50, Limit);
        var late = new List<string>();
        foreach (var row in last)
        {
            await place.Database.Subscribers.UnsubscribeAsync(row.SubscriberId, "test", Cancel);
            if (!place.Server.Accepted.Any(message => message.Recipient == row.Address)) late.Add(row.Address);
            if (late.Count == 10) someLeft.TrySetResult();
        }
        await running.WaitAsync(Limit, Cancel);

        Assert.NotEmpty(late);
        var got = place.Server.Accepted.Select(message => message.Recipient).ToHashSet();
        // One message per connection may have been on its way in the moment of the commit.
        Assert.InRange(late.Count(got.Contains), 0, 4);
        var balance = await place.ReconcileAsync(mailing);
        Assert.InRange(balance.Suppressed, late.Count - 4, 100);
        Assert.Equal(4000, balance.Sent + balance.Suppressed);
    }

    [Fact]
    public async Task Somebody_who_left_before_the_message_was_begun_is_suppressed()
    {
        var hold = new TaskCompletionSource();
        await using var place = EnginePlace.Open(moment => moment.Stage == SmtpStage.Message ? SmtpMove.Hold(hold.Task, SmtpMove.Accept) : SmtpMove.Accept);
        var mailing = await place.PublishAsync(10);
        var running = place.Start().RunAsync(mailing);
        await place.Server.WaitForAsync(server => server.Commands.Count(command => command.Line == "DATA") == 4, Limit, "four messages under way");
        // All ten are claimed by now, four are under way: the other six leave.
        var begun = (await place.DeliveriesAsync(mailing)).Where(row => row.State == DeliveryState.Sending).Select(row => row.SubscriberId).ToHashSet();
        Assert.Equal(4, begun.Count);
        foreach (var row in (await place.DeliveriesAsync(mailing)).Where(row => !begun.Contains(row.SubscriberId)))
            await place.Database.Subscribers.UnsubscribeAsync(row.SubscriberId, "test", Cancel);
        hold.SetResult();

        var balance = (await running.WaitAsync(Limit, Cancel)).Balance;
        Assert.Equal((4L, 6L), (balance.Sent, balance.Suppressed));
        Assert.Equal(4, place.Server.AcceptedCount);
    }

    [Fact]
    public async Task Progress_adds_up_and_ends_with_the_exact_balance()
    {
        await using var place = EnginePlace.Open();
        var mailing = await place.PublishAsync(3000);
        var seen = new Seen();
        await place.Start().Engine.RunAsync(mailing, seen, Cancel).WaitAsync(Limit, Cancel);

        Assert.All(seen.Reports, report => Assert.True(report.Balance.AddsUp, report.ToString()));
        Assert.Equal(3000, seen.Reports[^1].Balance.Sent);
    }

    private sealed class Seen : IProgress<DeliveryProgress>
    {
        public List<DeliveryProgress> Reports { get; } = [];

        public void Report(DeliveryProgress value) => Reports.Add(value);
    }
}
