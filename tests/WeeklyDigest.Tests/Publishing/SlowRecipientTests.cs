using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;
using WeeklyDigest.Smtp;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>A relay that takes its time to accept a recipient, and what happens in the ledger meanwhile.</summary>
public sealed class SlowRecipientTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly ManualClock clock = new(new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero));
    private readonly TaskCompletionSource answer = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_leaves_while_the_relay_has_not_accepted_sender_and_recipient_gets_nothing(bool sender)
    {
        await using var place = Open(sender ? SmtpStage.MailFrom : SmtpStage.RcptTo);
        var mailing = await place.PublishAsync(3);
        var running = await BeginAsync(place, mailing, place.Start(OneConnection));
        await place.Database.Subscribers.UnsubscribeAsync(EnginePlace.Address("r1@example.org"), "link", Cancel);
        Assert.Equal(1, (await place.BalanceAsync(mailing)).Sending);

        clock.Advance(TimeSpan.FromSeconds(0.3));
        answer.SetResult();
        var result = await running;

        Assert.Equal((MailingState.Sent, 1L, 2L, 2L), (result.State, result.Balance.Suppressed, result.Balance.Sent, result.Balance.Attempts));
        Assert.Equal(result.Balance, await place.ReconcileAsync(mailing));
        Assert.DoesNotContain(place.Server.Accepted, message => message.Recipient == "r1@example.org");
        Assert.Equal(1, place.Server.Connections);
        Assert.Single(place.Server.Commands, command => command.Line == "RSET");
    }

    [Theory]
    [InlineData(MailingState.Paused)]
    [InlineData(MailingState.Cancelled)]
    public async Task What_is_stopped_while_the_relay_has_not_accepted_the_recipient_is_given_back(MailingState state)
    {
        await using var place = Open(SmtpStage.RcptTo);
        var mailing = await place.PublishAsync(3);
        var running = await BeginAsync(place, mailing, place.Start(OneConnection));
        Assert.True(await place.Database.Mailings.ChangeStateAsync(mailing, [MailingState.Sending], state, "by hand", clock.GetUtcNow(), Cancel));

        clock.Advance(TimeSpan.FromSeconds(0.3));
        answer.SetResult();
        var result = await running;

        Assert.Equal((state, 3L, 0L), (result.State, result.Balance.Pending, result.Balance.Attempts));
        Assert.Equal(3, (await place.ReconcileAsync(mailing)).Pending);
        Assert.Equal(0, place.Server.AcceptedCount);
    }

    [Fact]
    public async Task A_row_that_was_taken_over_meanwhile_is_left_to_whoever_has_it()
    {
        await using var place = Open(SmtpStage.RcptTo);
        var mailing = await place.PublishAsync(1);
        var process = place.Start(OneConnection);
        var running = await BeginAsync(place, mailing, process);
        await place.Database.Ledger.RecoverAsync(process.Owner.ForRun(mailing), OnUncertain.Hold, clock.GetUtcNow(), Cancel);

        clock.Advance(TimeSpan.FromSeconds(0.3));
        answer.SetResult();
        await running;

        Assert.Equal((1L, 1L), ((await place.BalanceAsync(mailing)).Uncertain, (await place.BalanceAsync(mailing)).Attempts));
        Assert.Equal(0, place.Server.AcceptedCount);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task A_relay_that_is_always_slow_gets_everybody_once_and_nobody_is_said_twice(double messagesPerSecond)
    {
        await using var place = EnginePlace.Open(time: clock);
        var mailing = await place.PublishAsync(10);
        place.Server.Script = moment => moment.Stage == SmtpStage.RcptTo ? SmtpMove.Hold(TakeASecondAsync(), SmtpMove.Accept) : SmtpMove.Accept;
        var running = place.Start(relay => relay with { Connections = 1, MessagesPerSecond = messagesPerSecond }).RunAsync(mailing);
        await Eventually.HoldsAsync(
            () =>
            {
                // No faster than the clock on the wall: on a busy machine our own side would be the one that takes long.
                clock.Advance(TimeSpan.FromMilliseconds(5));
                return running.IsCompleted;
            },
            "the mailing is sent", Limit);

        var balance = await place.ReconcileAsync(mailing);
        Assert.Equal((10, 10), (balance.Sent, balance.Attempts));
        Assert.DoesNotContain(place.Server.Commands, command => command.Line == "RSET");

        async Task TakeASecondAsync()
        {
            await IsMarkedAsync(place, mailing);
            clock.Advance(TimeSpan.FromSeconds(1));
        }
    }

    [Theory]
    [InlineData(3, 0)]
    [InlineData(8, 1)]
    public async Task A_message_goes_in_its_place_when_the_mark_is_renewed_within_seconds_and_later_in_another(int seconds, int heldBack)
    {
        var (commits, isWaiting) = (Task.CompletedTask, false);
        await using var place = Open(SmtpStage.RcptTo);
        place.Around = ledger => SlowLedger.Over(ledger, () =>
        {
            Volatile.Write(ref isWaiting, !commits.IsCompleted);
            return commits;
        });
        var mailing = await place.PublishAsync(1);
        var running = await BeginAsync(place, mailing, place.Start(relay => OneConnection(relay) with { MessagesPerSecond = 2 }));
        clock.Advance(TimeSpan.FromSeconds(0.3));
        var disk = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        commits = disk.Task;
        answer.SetResult();
        await Eventually.HoldsAsync(() => Volatile.Read(ref isWaiting), "the mark is renewed", Limit);
        clock.Advance(TimeSpan.FromSeconds(seconds));
        disk.SetResult();
        await Eventually.HoldsAsync(
            () =>
            {
                clock.Advance(TimeSpan.FromMilliseconds(100));
                return running.IsCompleted;
            },
            "the mailing is sent", Limit);

        Assert.True(await place.ReconcileAsync(mailing) is { Sent: 1, Attempts: 1 });
        Assert.Equal(heldBack, place.Server.Commands.Count(command => command.Line == "RSET"));
    }

    private EnginePlace Open(SmtpStage held)
        => EnginePlace.Open(moment => moment.Stage == held && moment.Time == 1 && IsOfFirst(moment) ? SmtpMove.Hold(answer.Task, SmtpMove.Accept) : SmtpMove.Accept, time: clock);

    // MAIL does not say for whom.
    private static bool IsOfFirst(SmtpMoment moment) => moment.Recipient is "" or "r1@example.org";

    private static RelayOptions OneConnection(RelayOptions relay) => relay with { Connections = 1 };

    /// <summary>A run, up to where the relay has been asked, and the mark is there.</summary>
    private static async Task<Task<DeliveryRunResult>> BeginAsync(EnginePlace place, long mailing, EngineProcess process)
    {
        var running = process.RunAsync(mailing);
        await place.Server.WaitForAsync(relay => relay.Commands.Any(command => command.Line.StartsWith("MAIL", StringComparison.Ordinal)), Limit, "the relay is asked");
        await IsMarkedAsync(place, mailing);
        return running;
    }

    private static Task IsMarkedAsync(EnginePlace place, long mailing)
        => place.Server.WaitForAsync(_ => place.BalanceAsync(mailing).GetAwaiter().GetResult().Sending == 1, Limit, "the mark");
}
