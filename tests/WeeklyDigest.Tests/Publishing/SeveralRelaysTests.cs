using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;
using WeeklyDigest.Smtp;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>Two relays carry one mailing: they share it by weight, and each steps in for the other.</summary>
public sealed class SeveralRelaysTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static ScriptedSmtpOptions LacksUtf8 { get; } = new() { Abilities = SmtpAbilities.Modern & ~SmtpAbilities.SmtpUtf8 };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(3, 1, 300, 100)]
    [InlineData(1, 9, 40, 360)]
    public async Task Messages_are_spread_by_weight(int firstWeight, int secondWeight, int firstShare, int secondShare)
    {
        // The relay of the larger weight waits for nobody: it is the slower one, so that the other is never behind its share.
        await using var place = EnginePlace.Open(firstWeight > secondWeight ? Slow : Accepting);
        await using var second = ScriptedSmtpServer.Start(firstWeight > secondWeight ? Accepting : Slow);
        var mailing = await place.PublishAsync(firstShare + secondShare);
        await place.StartOver(
            EnginePlace.Relay("first", place.Server) with { Weight = firstWeight }, EnginePlace.Relay("second", second) with { Weight = secondWeight }).RunAsync(mailing);

        await ReconcileAsync(place, mailing, second);
        // What is under way at the end, on four connections each, is all that may differ.
        Assert.InRange(place.Server.AcceptedCount, firstShare - 8, firstShare + 8);
    }

    // Whoever has such an address waits for its turn over the relay that carries it; where none does, it fails as soon as that is known.
    [Theory]
    [InlineData(true, 1)]
    [InlineData(true, 9)]
    [InlineData(false, 1)]
    public async Task An_address_that_one_relay_cannot_carry_waits_for_the_other(bool other, int weight)
    {
        await using var place = EnginePlace.Open(LacksUtf8);
        await using var second = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { Abilities = other ? SmtpAbilities.Modern : SmtpAbilities.Modern & ~SmtpAbilities.SmtpUtf8 });
        var mailing = await place.PublishAsync(40, address: number => $"mü{number}@example.org");
        await place.StartOver(EnginePlace.Relay("first", place.Server) with { Weight = weight }, EnginePlace.Relay("second", second)).RunAsync(mailing);

        var rows = await place.DeliveriesAsync(mailing);
        Assert.Equal((0, second.AcceptedCount), (place.Server.AcceptedCount, rows.Count(row => row.State == DeliveryState.Sent)));
        Assert.All(rows, row => Assert.Equal(other ? DeliveryState.Sent : DeliveryState.Failed, row.State));
        Assert.Equal(40, (await place.BalanceAsync(mailing)).Attempts);
        if (!other) Assert.All(rows, row => Assert.Contains("no relay of the settings", row.Reply, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_address_that_one_relay_cannot_carry_waits_while_the_other_is_down_and_holds_nobody_up()
    {
        var isUp = false;
        await using var place = EnginePlace.Open(LacksUtf8);
        await using var second = ScriptedSmtpServer.Start(moment => moment.Stage != SmtpStage.Connect || Volatile.Read(ref isUp) ? SmtpMove.Accept : SmtpMove.Drop);
        var mailing = await place.PublishAsync(300, address: number => number <= 100 ? $"mü{number}@example.org" : $"reader{number}@example.org");
        var running = place.StartOver(EnginePlace.Relay("first", place.Server), EnginePlace.Relay("second", second)).RunAsync(mailing);

        await place.Server.WaitForAcceptedAsync(200, Limit);
        Volatile.Write(ref isUp, true);
        var result = await running;
        Assert.Equal((MailingState.Sent, 300L, 300L, 100), (result.State, result.Balance.Sent, result.Balance.Attempts, second.AcceptedCount));
        await ReconcileAsync(place, mailing, second);
    }

    [Fact]
    public async Task An_address_that_waits_for_a_relay_that_is_down_does_not_keep_a_run_from_stopping()
    {
        await using var place = EnginePlace.Open(LacksUtf8);
        await using var second = ScriptedSmtpServer.Start(moment => moment.Stage == SmtpStage.Connect ? SmtpMove.Drop : SmtpMove.Accept);
        var mailing = await place.PublishAsync(30, address: number => number <= 20 ? $"mü{number}@example.org" : $"reader{number}@example.org");
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var running = place.StartOver(EnginePlace.Relay("first", place.Server), EnginePlace.Relay("second", second)).RunUntilAsync(mailing, giveUp.Token);
        await place.Server.WaitForAcceptedAsync(10, Limit);
        await giveUp.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(Limit, TimeProvider.System, Cancel));
        var balance = await place.BalanceAsync(mailing);
        Assert.Equal((20L, 10L, 10L), (balance.Pending, balance.Sent, balance.Attempts));
    }

    // One of the others is put off, and has its second turn first.
    [Theory]
    [InlineData("Connect", "554 5.7.1 your address is blocked")]
    [InlineData("Auth", "535 5.7.8 wrong password")]
    [InlineData("MailFrom", "553 5.7.1 sender not allowed")]
    public async Task An_address_that_only_a_relay_might_carry_that_is_set_aside_waits_for_it_and_the_mailing_pauses_after_all_others(string stage, string words)
    {
        await using var place = EnginePlace.Open(
            LacksUtf8 with { Script = moment => moment is { Stage: SmtpStage.RcptTo, Recipient: "reader21@example.org", Time: 1 } ? SmtpMove.Reply("450 4.2.0 later") : SmtpMove.Accept },
            new DeliveryOptions { FirstRetryAfter = TimeSpan.FromSeconds(1) });
        await using var second = ScriptedSmtpServer.Start(new ScriptedSmtpOptions
        {
            Username = "news", Password = "secret", Script = moment => moment.Stage.ToString() == stage ? SmtpMove.Reply(words) : SmtpMove.Accept,
        });
        var mailing = await place.PublishAsync(50, address: number => number <= 20 ? $"mü{number}@example.org" : $"reader{number}@example.org");
        var process = place.StartOver(EnginePlace.Relay("first", place.Server), EnginePlace.Relay("second", second) with { Username = "news", Password = "secret" });
        var result = await process.RunAsync(mailing);

        Assert.Equal((MailingState.Paused, 30L, 20L, 31L), (result.State, result.Balance.Sent, result.Balance.Pending, result.Balance.Attempts));
        Assert.Contains(words, result.StateReason, StringComparison.Ordinal);
        second.Script = _ => SmtpMove.Accept;
        Assert.True(await place.Database.Mailings.ChangeStateAsync(mailing, [MailingState.Paused], MailingState.Sending, null, place.Time.GetUtcNow(), Cancel));
        result = await process.RunAsync(mailing);
        Assert.Equal((MailingState.Sent, 50L, 51L, 20), (result.State, result.Balance.Sent, result.Balance.Attempts, second.AcceptedCount));
    }

    [Fact]
    public async Task Two_processes_that_hold_such_addresses_do_not_wait_for_each_other()
    {
        await using var place = EnginePlace.Open(LacksUtf8, new DeliveryOptions { Lease = TimeSpan.FromSeconds(2) });
        await using var second = ScriptedSmtpServer.Start(moment => moment.Stage == SmtpStage.Connect ? SmtpMove.Reply("554 5.7.1 blocked") : SmtpMove.Accept);
        var mailing = await place.PublishAsync(40, address: number => $"mü{number}@example.org");
        var running = Enumerable.Range(0, 2).Select(_ => place.StartOver(EnginePlace.Relay("first", place.Server), EnginePlace.Relay("second", second)).RunAsync(mailing));

        Assert.All(await Task.WhenAll(running), result => Assert.Equal(MailingState.Paused, result.State));
        Assert.True(await place.BalanceAsync(mailing) is { Pending: 40, Attempts: 0 });
    }

    [Fact]
    public async Task Relays_of_equal_weight_do_not_wait_for_each_other()
    {
        var gate = new TaskCompletionSource();
        await using var place = EnginePlace.Open(moment => moment.Stage == SmtpStage.Message ? SmtpMove.Hold(gate.Task, SmtpMove.Accept) : SmtpMove.Accept);
        await using var second = ScriptedSmtpServer.Start();
        var mailing = await place.PublishAsync(200);
        var running = place.StartOver(EnginePlace.Relay("slow", place.Server), EnginePlace.Relay("fast", second)).RunAsync(mailing);

        await second.WaitForAcceptedAsync(196, Limit);
        gate.SetResult();
        await running;
        Assert.Equal(200, (await ReconcileAsync(place, mailing, second)).Attempts);
    }

    [Fact]
    public async Task A_relay_of_larger_weight_that_is_down_leaves_everything_to_the_other()
    {
        await using var place = EnginePlace.Open(moment => moment.Stage == SmtpStage.Connect ? SmtpMove.ReplyThenClose("421 4.3.2 going down") : SmtpMove.Accept);
        await using var second = ScriptedSmtpServer.Start();
        var mailing = await place.PublishAsync(200);
        var result = await place.StartOver(EnginePlace.Relay("first", place.Server) with { Weight = 1000 }, EnginePlace.Relay("second", second)).RunAsync(mailing);

        Assert.Equal((MailingState.Sent, 200L), (result.State, result.Balance.Attempts));
        Assert.Equal(200, second.AcceptedCount);
    }

    [Fact]
    public async Task A_relay_that_goes_down_in_the_middle_is_replaced_by_the_other()
    {
        await using var place = EnginePlace.Open(moment => moment.Stage == SmtpStage.MailFrom && moment.Time > 60 ? SmtpMove.ReplyThenClose("421 4.3.2 going down")
            : moment.Stage == SmtpStage.Connect && moment.Time > 4 ? SmtpMove.Drop : SmtpMove.Accept);
        await using var second = ScriptedSmtpServer.Start();
        var mailing = await place.PublishAsync(400);
        var result = await place.StartOver(EnginePlace.Relay("first", place.Server), EnginePlace.Relay("second", second)).RunAsync(mailing);

        Assert.Equal((MailingState.Sent, 400L), (result.State, result.Balance.Sent));
        Assert.Equal(400, (await ReconcileAsync(place, mailing, second)).Attempts);
    }

    [Theory]
    [InlineData("Connect", "554 5.7.1 your address is blocked")]
    [InlineData("Auth", "535 5.7.8 wrong password")]
    [InlineData("MailFrom", "553 5.7.1 sender not allowed")]
    public async Task A_relay_that_refuses_us_is_set_aside_and_the_other_goes_on(string stage, string words)
    {
        await using var place = EnginePlace.Open(new ScriptedSmtpOptions
        {
            Username = "news", Password = "secret", Script = moment => moment.Stage.ToString() == stage ? SmtpMove.Reply(words) : SmtpMove.Accept,
        });
        await using var second = ScriptedSmtpServer.Start();
        var mailing = await place.PublishAsync(300);
        var process = place.StartOver(EnginePlace.Relay("bad", place.Server) with { Username = "news", Password = "secret" }, EnginePlace.Relay("good", second));
        var result = await process.RunAsync(mailing);

        Assert.Equal((MailingState.Sent, 300L, 300L), (result.State, result.Balance.Sent, result.Balance.Attempts));
        Assert.Equal(300, second.AcceptedCount);
        Assert.Contains(words, process.Sessions.Notice, StringComparison.Ordinal);
        Assert.Contains(words, Assert.Single(process.Warnings), StringComparison.Ordinal);
        var aside = Assert.Single(await place.Database.Relays.AsideAsync(Cancel));
        Assert.Equal("bad", aside.Relay);
        Assert.Contains(words, aside.Reason, StringComparison.Ordinal);
        // Each connection may have found out by itself; nobody comes back.
        Assert.InRange(place.Server.Connections, 1, 4);
    }

    [Theory]
    [InlineData("RcptTo", "550 5.1.1 User unknown")]
    [InlineData("RcptTo", "554 5.7.1 Relay access denied")]
    [InlineData("Message", "")]
    public async Task A_relay_that_refuses_everybody_is_set_aside_and_nobody_is_suppressed_for_it(string stage, string words)
    {
        var options = new DeliveryOptions { PauseAfterConsecutiveFailures = 10 };
        await using var place = EnginePlace.Open(moment => moment.Stage.ToString() != stage ? SmtpMove.Accept : words.Length > 0 ? SmtpMove.Reply(words) : SmtpMove.Drop, options);
        await using var second = ScriptedSmtpServer.Start();
        var mailing = await place.PublishAsync(300);
        var process = place.StartOver(EnginePlace.Relay("bad", place.Server) with { Weight = 9 }, EnginePlace.Relay("good", second));
        var result = await process.RunAsync(mailing);

        Assert.Equal(MailingState.Sent, result.State);
        Assert.Equal(300, second.AcceptedCount + result.Balance.Failed + result.Balance.Uncertain);
        // The row, and what was under way over its four connections.
        Assert.InRange(result.Balance.Failed + result.Balance.Uncertain, 10, 13);
        Assert.StartsWith("Relay 'bad': ", Assert.Single(await place.Database.Relays.AsideAsync(Cancel)).Reason, StringComparison.Ordinal);
        Assert.Equal(300, await place.Database.Subscribers.ExportAsync(null, _ => { }, Cancel).CountAsync(reader => reader.Status == SubscriberStatus.Active, Cancel));
    }

    [Fact]
    public async Task A_relay_with_a_certificate_that_is_not_right_is_set_aside_and_the_other_goes_on()
    {
        using var certificate = TestCertificate.Create();
        await using var place = EnginePlace.Open(new ScriptedSmtpOptions { Certificate = certificate });
        await using var second = ScriptedSmtpServer.Start();
        var mailing = await place.PublishAsync(100);
        var process = place.StartOver(EnginePlace.Relay("bad", place.Server) with { Security = RelaySecurity.StartTls }, EnginePlace.Relay("good", second));

        Assert.Equal(MailingState.Sent, (await process.RunAsync(mailing)).State);
        Assert.Equal(100, second.AcceptedCount);
        Assert.Contains("could not agree on TLS", Assert.Single(process.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_no_relay_is_left_the_mailing_pauses_with_the_reasons_of_all()
    {
        await using var place = EnginePlace.Open(moment => moment.Stage == SmtpStage.Connect ? SmtpMove.Reply("554 5.7.1 blocked") : SmtpMove.Accept);
        await using var second = ScriptedSmtpServer.Start(moment => moment.Stage == SmtpStage.MailFrom ? SmtpMove.Reply("553 5.7.1 sender not allowed") : SmtpMove.Accept);
        var mailing = await place.PublishAsync(100);
        var result = await place.StartOver(EnginePlace.Relay("one", place.Server), EnginePlace.Relay("two", second)).RunAsync(mailing);

        Assert.Equal(MailingState.Paused, result.State);
        Assert.Contains("blocked", result.StateReason, StringComparison.Ordinal);
        Assert.Contains("sender not allowed", result.StateReason, StringComparison.Ordinal);
        Assert.Equal((100L, 0L), (result.Balance.Pending, result.Balance.Attempts));
    }

    [Fact]
    public async Task A_relay_that_was_set_aside_is_tried_again_when_the_mailing_is_resumed_and_not_before()
    {
        var options = new DeliveryOptions { FirstRetryAfter = TimeSpan.FromSeconds(1) };
        await using var place = EnginePlace.Open(moment => moment.Stage == SmtpStage.Connect ? SmtpMove.Reply("554 5.7.1 blocked") : SmtpMove.Accept, options);
        await using var second = ScriptedSmtpServer.Start(moment => moment.Stage == SmtpStage.RcptTo ? SmtpMove.Reply("450 4.2.0 later") : SmtpMove.Accept);
        var mailing = await place.PublishAsync(20);
        var process = place.StartOver(EnginePlace.Relay("bad", place.Server), EnginePlace.Relay("good", second));
        Assert.Equal(20, (await process.RunAsync(mailing)).Balance.Deferred);
        var tries = place.Server.Connections;

        // As the wake-up for deferred rows does it, until all were tried twice.
        await RunUntilAsync(process, mailing, result => result.Balance.Attempts == 40);
        Assert.Equal(tries, place.Server.Connections);

        place.Server.Script = _ => SmtpMove.Accept;
        second.Script = moment => moment.Stage == SmtpStage.MailFrom ? SmtpMove.Reply("553 5.7.1 sender not allowed") : SmtpMove.Accept;
        foreach (var (from, to) in new[] { (MailingState.Sending, MailingState.Paused), (MailingState.Paused, MailingState.Sending) })
            Assert.True(await place.Database.Mailings.ChangeStateAsync(mailing, [from], to, null, place.Time.GetUtcNow(), Cancel));
        await RunUntilAsync(process, mailing, result => result.State == MailingState.Sent);
        Assert.Equal(20, place.Server.AcceptedCount);
        Assert.Equal("good", Assert.Single(await place.Database.Relays.AsideAsync(Cancel)).Relay);
    }

    [Fact]
    public async Task A_relay_that_is_set_aside_rests_for_the_next_mailing_only_until_it_begins()
    {
        await using var place = EnginePlace.Open(moment => moment.Stage == SmtpStage.Connect ? SmtpMove.Reply("554 5.7.1 blocked") : SmtpMove.Accept);
        var process = place.Start();
        var first = await place.PublishAsync(10);
        Assert.Equal(MailingState.Paused, (await process.RunAsync(first)).State);

        place.Server.Script = _ => SmtpMove.Accept;
        var second = await place.PublishAsync(10, "week-2");
        Assert.Equal(MailingState.Sent, (await process.RunAsync(second)).State);
        Assert.Equal(10, place.Server.AcceptedCount);
    }

    private static SmtpMove Accepting(SmtpMoment moment) => SmtpMove.Accept;

    private static SmtpMove Slow(SmtpMoment moment)
        => moment.Stage == SmtpStage.Message ? SmtpMove.Hold(Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System), SmtpMove.Accept) : SmtpMove.Accept;

    private static async Task RunUntilAsync(EngineProcess process, long mailing, Func<DeliveryRunResult, bool> isEnough)
    {
        using var limit = new CancellationTokenSource(Limit, TimeProvider.System);
        while (!isEnough(await process.RunUntilAsync(mailing, limit.Token))) await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, limit.Token);
    }

    /// <summary>What the ledger calls sent one of the relays has accepted, each once.</summary>
    private static async Task<Balance> ReconcileAsync(EnginePlace place, long mailing, ScriptedSmtpServer second)
    {
        var sent = (await place.DeliveriesAsync(mailing)).Where(report => report.State == DeliveryState.Sent).Select(report => report.Address).Order();
        Assert.Equal(sent, place.Server.Accepted.Concat(second.Accepted).Select(message => message.Recipient).Order());
        var balance = await place.BalanceAsync(mailing);
        Assert.True(balance.AddsUp, balance.ToString());
        return balance;
    }
}
