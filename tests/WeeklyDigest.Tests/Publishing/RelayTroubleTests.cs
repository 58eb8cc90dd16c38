using System.Collections.Concurrent;
using WeeklyDigest.Publishing;
using WeeklyDigest.Smtp;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>The relay is to blame: no recipient's attempt is counted.</summary>
public sealed class RelayTroubleTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_relay_that_is_down_is_waited_for_and_nobody_is_touched()
    {
        await using var place = EnginePlace.Open(moment => moment.Stage == SmtpStage.Connect ? SmtpMove.ReplyThenClose("421 4.3.2 going down") : SmtpMove.Accept);
        var mailing = await place.PublishAsync(50);
        var seen = new Notices();
        var running = place.Start().Engine.RunAsync(mailing, seen, Cancel);
        // Not in each notice: while it is tried, that is what a notice says.
        await place.Server.WaitForAsync(_ => seen.Any("Next try"), Limit, "a notice of the next try");

        Assert.True(seen.Any("421"));
        var balance = await place.BalanceAsync(mailing);
        Assert.Equal((0L, 0L), (balance.Attempts, balance.Sending));

        place.Server.Script = _ => SmtpMove.Accept;
        Assert.Equal(MailingState.Sent, (await running.WaitAsync(Limit, Cancel)).State);
        Assert.Equal(50, (await place.ReconcileAsync(mailing)).Attempts);
    }

    [Fact]
    public async Task Whom_a_relay_that_lets_nobody_in_keeps_waiting_goes_over_the_other_one()
    {
        await using var place = EnginePlace.Open(moment => moment.Stage == SmtpStage.Connect ? SmtpMove.Stall : SmtpMove.Accept);
        await using var second = ScriptedSmtpServer.Start();
        await using var process = place.StartOver(EnginePlace.Relay("good", second), EnginePlace.Relay("bad", place.Server));
        var mailing = await place.PublishAsync(50);
        // It is given up after a minute.
        Assert.Equal(MailingState.Sent, (await process.RunAsync(mailing).WaitAsync(Limit, Cancel)).State);
        Assert.Equal((50, 0), (second.AcceptedCount, place.Server.AcceptedCount));
        var balance = await place.BalanceAsync(mailing);
        Assert.Equal((50L, 50L), (balance.Sent, balance.Attempts));
    }

    // The outcome before is on its way to the disk then, and what is given back has to follow it.
    [Fact]
    public async Task What_waits_for_a_slow_opening_is_given_back_when_the_run_stops()
    {
        var answer = new TaskCompletionSource();
        await using var place = EnginePlace.Open(moment => moment is { Stage: SmtpStage.Connect, Connection: > 1 } ? SmtpMove.Stall : SmtpMove.Accept);
        await using var second = ScriptedSmtpServer.Start(moment => moment.Stage == SmtpStage.RcptTo ? SmtpMove.Hold(answer.Task, SmtpMove.Accept) : SmtpMove.Accept);
        var mailing = await place.PublishAsync(6);
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var running = place.StartOnSlowDisk(
            TimeSpan.FromMilliseconds(500),
            EnginePlace.Relay("first", place.Server) with { Connections = 1, MessagesPerConnection = 1 }, EnginePlace.Relay("second", second) with { Connections = 1 }).RunUntilAsync(mailing, giveUp.Token);
        await place.Server.WaitForAsync(relay => relay.Connections > 1, Limit, "the connection after the first message");
        await giveUp.CancelAsync();
        answer.SetResult();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(Limit, TimeProvider.System, Cancel));

        var balance = await place.BalanceAsync(mailing);
        Assert.Equal((1L, 5L, 0L, 1L), (balance.Sent, balance.Pending, balance.Claimed, balance.Attempts));
    }

    [Fact]
    public async Task A_relay_that_stays_down_is_noted_for_everybody_until_it_answers()
    {
        await using var place = EnginePlace.Open(moment => moment.Stage == SmtpStage.Connect ? SmtpMove.ReplyThenClose("421 4.3.2 going down") : SmtpMove.Accept);
        var mailing = await place.PublishAsync(5);
        var running = place.Start().Engine.RunAsync(mailing, null, Cancel);
        await Eventually.HoldsAsync(() => Notes().Any(aside => aside.Kind == RelayAsideKind.Down && aside.Reason.Contains("421", StringComparison.Ordinal)), "it is noted", Limit);
        // After the third failure; there were pauses of one and of two seconds between them.
        Assert.True(place.Time.GetUtcNow() - Notes()[0].At >= TimeSpan.FromSeconds(3));
        place.Server.Script = _ => SmtpMove.Accept;
        Assert.Equal(MailingState.Sent, (await running.WaitAsync(Limit, Cancel)).State);
        Assert.Empty(Notes());

        IReadOnlyList<RelayAside> Notes() => place.Database.Relays.AsideAsync(Cancel).Result;
    }

    [Fact]
    public async Task A_relay_that_is_no_longer_set_aside_and_has_not_been_asked_yet_is_to_be_tried_again()
    {
        await using var place = EnginePlace.Open(moment => moment.Stage == SmtpStage.Connect ? SmtpMove.Reply("554 5.7.1 blocked") : SmtpMove.Accept);
        await using var second = ScriptedSmtpServer.Start();
        RelayOptions[] relays = [EnginePlace.Relay("good", second) with { Weight = 9 }, EnginePlace.Relay("bad", place.Server)];
        await place.StartOver(relays).RunAsync(await place.PublishAsync(100));
        var aside = Assert.Single(await place.Database.Relays.AsideAsync(Cancel));
        Assert.Equal(RelayAsideKind.Aside, aside.Kind);

        await using var process = place.StartOver(relays);
        for (var i = 2; i <= 3; i++)
        {
            await process.RunAsync(await place.PublishAsync(1, $"week-{i}", list: "one"));
            Assert.Equal((RelayAsideKind.Again, aside.Reason), await Noted());
        }
        await process.RunAsync(await place.PublishAsync(100, "week-4"));
        Assert.Equal((RelayAsideKind.Aside, aside.Reason), await Noted());

        async Task<(RelayAsideKind Kind, string Reason)> Noted() => (await place.Database.Relays.AsideAsync(Cancel)).Select(now => (now.Kind, now.Reason)).Single();
    }

    [Fact]
    public async Task A_relay_that_refuses_connections_is_tried_again()
    {
        await using var place = EnginePlace.Open();
        var mailing = await place.PublishAsync(20);
        int port;
        await using (var gone = ScriptedSmtpServer.Start()) port = gone.Port;
        var seen = new Notices();
        var running = place.Start(relay => relay with { Port = port }).Engine.RunAsync(mailing, seen, Cancel);
        await place.Server.WaitForAsync(_ => seen.Any(""), Limit, "a notice of the relay");

        await using var back = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { Port = port });
        Assert.Equal(MailingState.Sent, (await running.WaitAsync(Limit, Cancel)).State);
        Assert.Equal(20, back.AcceptedCount);
        Assert.Equal(20, (await place.BalanceAsync(mailing)).Attempts);
    }

    [Fact]
    public async Task A_refused_login_pauses_the_mailing_with_the_servers_words()
    {
        await using var place = EnginePlace.Open(new ScriptedSmtpOptions { Username = "news", Password = "right" });
        var mailing = await place.PublishAsync(100);
        var result = await place.Start(relay => relay with { Username = "news", Password = "wrong" }).RunAsync(mailing);

        Assert.Equal(MailingState.Paused, result.State);
        Assert.Contains("535", result.StateReason, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong", result.StateReason, StringComparison.Ordinal);
        Assert.Equal((100L, 0L), (result.Balance.Pending, result.Balance.Attempts));
        Assert.All(await place.DeliveriesAsync(mailing), row => Assert.Null(row.Reply));
    }

    [Fact]
    public async Task A_refused_sender_pauses_the_mailing_and_touches_nobody()
    {
        await using var place = EnginePlace.Open(moment => moment.Stage == SmtpStage.MailFrom ? SmtpMove.Reply("553 5.7.1 sender not allowed") : SmtpMove.Accept);
        var mailing = await place.PublishAsync(100);
        var result = await place.Start().RunAsync(mailing);

        Assert.Equal(MailingState.Paused, result.State);
        Assert.Contains("sender not allowed", result.StateReason, StringComparison.Ordinal);
        Assert.Equal((100L, 0L), (result.Balance.Pending, result.Balance.Attempts));
    }

    [Fact]
    public async Task A_paused_mailing_goes_on_when_the_cause_is_gone()
    {
        await using var place = EnginePlace.Open(moment => moment.Stage == SmtpStage.MailFrom ? SmtpMove.Reply("553 5.7.1 sender not allowed") : SmtpMove.Accept);
        var mailing = await place.PublishAsync(100);
        var process = place.Start();
        await process.RunAsync(mailing);

        place.Server.Script = _ => SmtpMove.Accept;
        await place.Database.Mailings.ChangeStateAsync(mailing, [MailingState.Paused], MailingState.Sending, null, place.Time.GetUtcNow(), Cancel);
        await process.RunAsync(mailing);
        Assert.Equal(100, (await place.ReconcileAsync(mailing)).Sent);
    }

    [Fact]
    public async Task A_relay_that_closes_connections_now_and_then_costs_nobody_an_attempt()
    {
        await using var place = EnginePlace.Open(moment => moment is { Stage: SmtpStage.MailFrom } && moment.Time % 40 == 0 ? SmtpMove.ReplyThenClose("421 4.7.0 enough for this connection") : SmtpMove.Accept);
        var mailing = await place.PublishAsync(300);
        var result = await place.Start().RunAsync(mailing);

        Assert.Equal(MailingState.Sent, result.State);
        Assert.Equal(300, (await place.ReconcileAsync(mailing)).Attempts);
    }

    private sealed class Notices : IProgress<DeliveryProgress>
    {
        private readonly ConcurrentQueue<string> all = new();

        public bool Any(string words) => all.Any(notice => notice.Contains(words, StringComparison.Ordinal));

        public void Report(DeliveryProgress value)
        {
            if (value.Notice is { } notice) all.Enqueue(notice);
        }
    }
}
