using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>A relay that says of everybody that there is no such user, met in ways in which no run sees fifty of these in a row by itself.</summary>
public sealed class RelayDoubtsTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private static readonly SmtpMove NoSuchUser = SmtpMove.Reply("550 5.1.1 User unknown");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_run_that_was_stopped_and_started_again_beside_a_relay_that_works()
    {
        await using var place = EnginePlace.Open();
        await using var second = ScriptedSmtpServer.Start();
        var mailing = await place.PublishAsync(400);
        await ShortRunAsync(place, mailing, 40, second);
        Assert.InRange(await BouncedAsync(place), 40, 49);

        place.Server.Script = Refuse;
        var process = place.StartOver(EnginePlace.Relay("bad", place.Server) with { Weight = 9 }, EnginePlace.Relay("good", second));
        Assert.Equal(MailingState.Sent, (await process.RunAsync(mailing)).State);
        Assert.Contains(" in a row were refused", Assert.Single(await place.Database.Relays.AsideAsync(Cancel)).Reason, StringComparison.Ordinal);
        Assert.InRange(await NobodyIsSuppressedAsync(place, mailing), 50, 100);
    }

    [Fact]
    public async Task Two_processes_at_once_beside_a_relay_that_works()
    {
        await using var place = EnginePlace.Open();
        await using var good = ScriptedSmtpServer.Start();
        var mailing = await place.PublishAsync(600);
        await Task.WhenAll(OneAsync(), OneAsync());
        Assert.InRange(await NobodyIsSuppressedAsync(place, mailing), 60, 70);

        // The same relay, which each reaches by itself.
        async Task OneAsync()
        {
            await using var bad = ScriptedSmtpServer.Start();
            await ShortRunAsync(place, mailing, 30, good, bad);
        }
    }

    [Fact]
    public async Task Refusals_that_another_process_has_under_way_when_the_mailing_is_paused()
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var place = EnginePlace.Open(
            moment => moment.Stage != SmtpStage.RcptTo ? SmtpMove.Accept : moment.Connection <= 4 ? SmtpMove.Hold(release.Task, NoSuchUser) : NoSuchUser);
        var mailing = await place.PublishAsync(300);
        var other = place.Start().RunAsync(mailing);
        await place.Server.WaitForAsync(server => server.Commands.Count(command => command.Line.StartsWith("RCPT", StringComparison.Ordinal)) == 4, Limit, "four recipients");
        Assert.Equal(MailingState.Paused, (await place.Start().RunAsync(mailing)).State);
        release.SetResult();
        await other;
        Assert.InRange(await NobodyIsSuppressedAsync(place, mailing), 54, 100);
    }

    [Fact]
    public async Task Two_mailings_at_once()
    {
        await using var place = EnginePlace.Open();
        var (first, second) = (await place.PublishAsync(1, list: "early"), await place.PublishAsync(1, "week-2", list: "early"));
        var process = place.Start();
        await Task.WhenAll(process.RunAsync(first), process.RunAsync(second));
        place.Server.Script = Refuse;
        await place.PublishAsync(30, "week-1", number => $"p{number}@example.org");
        await place.PublishAsync(30, "week-2", number => $"o{number}@example.org", "others");
        var results = await Task.WhenAll(process.RunAsync(first), process.RunAsync(second));
        Assert.Contains(results, result => result.State == MailingState.Paused && result.StateReason!.Contains("recipients in a row were refused, over several runs; the last reply was: 550 5.1.1", StringComparison.Ordinal));
        Assert.Equal(60, await NobodyIsSuppressedAsync(place, first) + await NobodyIsSuppressedAsync(place, second));
    }

    [Fact]
    public async Task Whom_another_mailing_passed_over_meanwhile_is_sent_that_one_although_it_had_ended()
    {
        await using var place = EnginePlace.Open();
        await using var good = ScriptedSmtpServer.Start();
        var (mailing, other) = (await place.PublishAsync(100), await place.PublishAsync(100, "week-2"));
        await ShortRunAsync(place, mailing, 30);
        var bounced = await BouncedAsync(place);
        var ended = await place.StartOver(EnginePlace.Relay("good", good)).RunAsync(other);
        Assert.Equal((MailingState.Sent, bounced), (ended.State, (int)ended.Balance.Suppressed));

        await ShortRunAsync(place, mailing, 30);
        Assert.Equal(100, (await place.StartOver(EnginePlace.Relay("good", good)).RunAsync(other)).Balance.Sent);
        Assert.Equal(100, good.Accepted.Select(message => message.Recipient).Distinct().Count());
    }

    [Fact]
    public async Task A_list_of_which_everybody_is_refused_although_it_is_short()
    {
        await using var place = EnginePlace.Open(Refuse);
        var mailing = await place.PublishAsync(6);
        var process = place.Start();
        var result = await process.RunAsync(mailing);
        Assert.Equal((MailingState.Paused, "all 6 recipients were refused; the last reply was: 550 5.1.1 User unknown"), (result.State, result.StateReason));
        Assert.Equal(6, await NobodyIsSuppressedAsync(place, mailing));

        place.Server.Script = _ => SmtpMove.Accept;
        await ResumeAsync(place, mailing);
        Assert.Equal((MailingState.Sent, 6L), await process.RunAsync(mailing) is var again ? (again.State, again.Balance.Sent) : default);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(6)]
    public async Task A_short_list_whose_run_was_stopped_after_some(int refusals)
    {
        await using var place = EnginePlace.Open(Refuse);
        var mailing = await place.PublishAsync(6);
        await ShortRunAsync(place, mailing, refusals);
        var result = await place.StartOver(EnginePlace.Relay("bad", place.Server)).RunAsync(mailing);
        Assert.Equal((MailingState.Paused, "all 6 recipients were refused; the last reply was: 550 5.1.1 User unknown"), (result.State, result.StateReason));
        Assert.Equal(6, await NobodyIsSuppressedAsync(place, mailing));
    }

    [Fact]
    public async Task A_short_list_beside_a_relay_that_works()
    {
        // The good one waits until the other has refused enough.
        var (refused, enough) = (0, new TaskCompletionSource());
        await using var place = EnginePlace.Open(moment =>
        {
            if (moment.Stage == SmtpStage.RcptTo && Interlocked.Increment(ref refused) == 10) enough.SetResult();
            return Refuse(moment);
        });
        await using var good = ScriptedSmtpServer.Start(moment => moment.Stage == SmtpStage.Message ? SmtpMove.Hold(enough.Task, SmtpMove.Accept) : SmtpMove.Accept);
        var mailing = await place.PublishAsync(40);
        var process = place.StartOver(EnginePlace.Relay("bad", place.Server), EnginePlace.Relay("good", good));
        Assert.Equal(MailingState.Sent, (await process.RunAsync(mailing)).State);
        Assert.Contains(" recipients were refused; the last reply was: 550", Assert.Single(await place.Database.Relays.AsideAsync(Cancel)).Reason, StringComparison.Ordinal);
        Assert.InRange(await NobodyIsSuppressedAsync(place, mailing), 5, 36);
    }

    [Theory]
    [InlineData(18, 4)]
    [InlineData(6, 2)]
    public async Task A_list_of_which_two_relays_refuse_everybody_between_them(int recipients, int ofTheOther)
    {
        // What the other has under way is answered after all else: it refuses too few to be doubted alone.
        var (refused, rest) = (0, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        await using var place = EnginePlace.Open(moment =>
        {
            if (moment.Stage == SmtpStage.RcptTo && Interlocked.Increment(ref refused) == recipients - ofTheOther) rest.SetResult();
            return Refuse(moment);
        });
        await using var other = ScriptedSmtpServer.Start(moment => moment.Stage == SmtpStage.RcptTo ? SmtpMove.Hold(rest.Task, NoSuchUser) : SmtpMove.Accept);
        var mailing = await place.PublishAsync(recipients);
        var result = await place.StartOver(EnginePlace.Relay("bad", place.Server), EnginePlace.Relay("other", other) with { Connections = ofTheOther }).RunAsync(mailing);
        Assert.Equal(
            (MailingState.Paused, $"all {recipients} recipients were refused; the last reply was: 550 5.1.1 User unknown", recipients), (result.State, result.StateReason, await NobodyIsSuppressedAsync(place, mailing)));
    }

    [Fact]
    public async Task A_list_of_which_one_relay_refused_some_before_the_run_was_stopped_and_another_the_rest()
    {
        await using var place = EnginePlace.Open();
        await using var other = ScriptedSmtpServer.Start(Refuse);
        var mailing = await place.PublishAsync(6);
        await ShortRunAsync(place, mailing, 1);
        Assert.InRange(await BouncedAsync(place), 1, 4);
        var result = await place.StartOver(EnginePlace.Relay("other", other)).RunAsync(mailing);
        Assert.Equal((MailingState.Paused, "all 6 recipients were refused; the last reply was: 550 5.1.1 User unknown", 6L), (result.State, result.StateReason, await NobodyIsSuppressedAsync(place, mailing)));
    }

    [Fact]
    public async Task The_few_that_are_left_for_another_relay_after_one_refused_too_many()
    {
        await using var place = EnginePlace.Open(Refuse, new DeliveryOptions { PauseAfterConsecutiveFailures = 10 });
        await using var other = ScriptedSmtpServer.Start(Refuse);
        var mailing = await place.PublishAsync(14);
        Assert.InRange((await place.StartOver(EnginePlace.Relay("bad", place.Server)).RunAsync(mailing)).Balance.Failed, 10, 13);
        await ResumeAlongAsync();
        var process = place.StartOver(EnginePlace.Relay("other", other));
        var result = await process.RunAsync(mailing);
        Assert.Equal((MailingState.Paused, "all 14 recipients were refused; the last reply was: 550 5.1.1 User unknown"), (result.State, result.StateReason));
        Assert.Equal(0, await BouncedAsync(place));

        // Whoever leaves them at that has an end of it.
        await ResumeAlongAsync();
        Assert.Equal(MailingState.Sent, (await process.RunAsync(mailing)).State);
        Assert.Equal(14, await NobodyIsSuppressedAsync(place, mailing));

        Task ResumeAlongAsync() => place.Database.Mailings.ChangeStateAsync(mailing, [MailingState.Paused], MailingState.Sending, null, place.Time.GetUtcNow(), Cancel);
    }

    [Fact]
    public async Task A_few_unknown_users_are_no_reason_and_neither_are_more_of_a_mailing_that_the_relay_has_accepted_messages_of()
    {
        await using var place = EnginePlace.Open(Refuse);
        var process = place.StartOver(EnginePlace.Relay("one", place.Server), EnginePlace.Relay("two", place.Server));
        Assert.Equal(MailingState.Sent, (await process.RunAsync(await place.PublishAsync(4))).State);
        Assert.Equal(4, await BouncedAsync(place));

        place.Server.Script = _ => SmtpMove.Accept;
        var mailing = await place.PublishAsync(2, "week-2", number => $"o{number}@example.org", "others");
        Assert.Equal(2, (await process.RunAsync(mailing)).Balance.Sent);
        place.Server.Script = Refuse;
        Assert.Equal(mailing, await place.PublishAsync(6, "week-2", number => $"p{number}@example.org", "more"));
        Assert.Equal((MailingState.Sent, 6L), await process.RunAsync(mailing) is var result ? (result.State, result.Balance.Failed) : default);
        Assert.Equal(10, await BouncedAsync(place));
    }

    [Fact]
    public async Task Refusals_that_differ_are_the_recipients_own()
    {
        await using var place = EnginePlace.Open(moment => moment.Stage == SmtpStage.RcptTo ? SmtpMove.Reply($"550 5.1.{moment.Recipient[1]} {moment.Recipient}") : SmtpMove.Accept);
        var result = await place.Start().RunAsync(await place.PublishAsync(3, address: number => $"r{number}@example.org"));
        Assert.Equal((MailingState.Sent, 3L), (result.State, result.Balance.Failed));
        place.Server.Script = moment => moment.Stage == SmtpStage.RcptTo ? SmtpMove.Reply(moment.Recipient[1] % 2 == 0 ? "550 5.1.1 User unknown" : "550 5.2.2 Mailbox full") : SmtpMove.Accept;
        result = await place.Start().RunAsync(await place.PublishAsync(6, "week-2", number => $"o{number}@example.org", "others"));
        Assert.Equal((MailingState.Sent, 6L), (result.State, result.Balance.Failed));
    }

    [Fact]
    public async Task Many_short_runs_until_the_relay_works_again()
    {
        await using var place = EnginePlace.Open();
        var mailing = await place.PublishAsync(300);
        for (var run = 0; run < 6; run++) await ShortRunAsync(place, mailing, 20);
        Assert.Equal(MailingState.Paused, (await place.Database.Mailings.FindAsync(mailing, Cancel))!.State);
        Assert.Equal(0, await BouncedAsync(place));

        // It gets its chance, and uses it to refuse some more.
        await ResumeAsync(place, mailing);
        await ShortRunAsync(place, mailing, 20);
        Assert.InRange(await NobodyIsSuppressedAsync(place, mailing), 20, 23);

        place.Server.Script = moment => moment is { Stage: SmtpStage.RcptTo, Recipient: "r290@example.org" } ? NoSuchUser : SmtpMove.Accept;
        await ResumeAsync(place, mailing);
        Assert.Equal(299, (await place.StartOver(EnginePlace.Relay("bad", place.Server)).RunAsync(mailing)).Balance.Sent);
        Assert.Equal(1, await BouncedAsync(place));
        Assert.DoesNotContain(await place.Database.Ledger.DoubtsAsync(Cancel), doubt => doubt.IsPardoned);
    }

    [Theory]
    [InlineData("250 2.0.0 ok", 10)]
    [InlineData("451 4.3.0 later", 2)]
    public async Task A_relay_that_accepts_or_puts_off_now_and_then_is_right_about_the_others(string reply, int every)
    {
        await using var place = EnginePlace.Open(moment => moment.Stage != SmtpStage.RcptTo || !IsRefused(moment.Recipient) ? moment.Stage == SmtpStage.Message ? SmtpMove.Reply(reply) : SmtpMove.Accept : NoSuchUser);
        var mailing = await place.PublishAsync(300);
        var results = await Task.WhenAll(place.Start().RunAsync(mailing), place.Start().RunAsync(mailing));
        Assert.DoesNotContain(results, result => result.State == MailingState.Paused);
        Assert.Equal(300 - (300 / every), await BouncedAsync(place));

        bool IsRefused(string recipient) => int.Parse(recipient[1..recipient.IndexOf('@', StringComparison.Ordinal)], System.Globalization.CultureInfo.InvariantCulture) % every != 0;
    }

    private static SmtpMove Refuse(SmtpMoment moment) => moment.Stage == SmtpStage.RcptTo ? NoSuchUser : SmtpMove.Accept;

    /// <summary>A process of its own that is stopped when so many were refused.</summary>
    private static async Task ShortRunAsync(EnginePlace place, long mailing, int refusals, ScriptedSmtpServer? good = null, ScriptedSmtpServer? server = null)
    {
        using var stop = new CancellationTokenSource();
        var refused = 0;
        (server ?? place.Server).Script = moment =>
        {
            if (moment.Stage == SmtpStage.RcptTo && Interlocked.Increment(ref refused) == refusals) stop.Cancel();
            return Refuse(moment);
        };
        var bad = EnginePlace.Relay("bad", server ?? place.Server) with { Weight = 9 };
        await using var process = good is null ? place.StartOver(bad) : place.StartOver(bad, EnginePlace.Relay("good", good));
        try
        {
            await process.RunUntilAsync(mailing, stop.Token).WaitAsync(Limit, Cancel);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    private static async Task ResumeAsync(EnginePlace place, long mailing)
    {
        await place.Database.Ledger.DecideAsync(new DecisionPortion(mailing, DeliveryEvent.Retry, 0, 1000, place.Time.GetUtcNow()), Cancel);
        await place.Database.Mailings.ChangeStateAsync(mailing, [MailingState.Paused], MailingState.Sending, null, place.Time.GetUtcNow(), Cancel);
    }

    /// <summary>Nobody is kept out, and an editor's retry reaches all that failed.</summary>
    /// <returns>How many those are.</returns>
    private static async Task<long> NobodyIsSuppressedAsync(EnginePlace place, long mailing)
    {
        Assert.Equal(0, await BouncedAsync(place));
        var failed = (await place.BalanceAsync(mailing)).Failed;
        var retried = await place.Database.Ledger.DecideAsync(new DecisionPortion(mailing, DeliveryEvent.Retry, 0, 1000, place.Time.GetUtcNow()), Cancel);
        Assert.Equal((failed, 0L), (retried.Changed, retried.KeptOut));
        return failed;
    }

    private static ValueTask<int> BouncedAsync(EnginePlace place)
        => place.Database.Subscribers.ExportAsync(null, _ => { }, Cancel).CountAsync(reader => reader.Status == SubscriberStatus.Bounced, Cancel);
}
