using WeeklyDigest.Publishing;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>Whose turn never came is given up where nothing moves, and not because time goes by.</summary>
public sealed class GiveUpTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 8, 0, 0, TimeSpan.Zero);

    private readonly SetClock clock = new(Start);
    private int allowed;
    private int taken;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_mailing_that_needs_longer_than_the_time_to_give_up_is_sent_to_its_end()
    {
        await using var place = EnginePlace.Open(TakesAllowed, time: clock);
        var mailing = await place.PublishAsync(6);
        var running = place.Start(relay => relay with { Connections = 1, MessagesPerConnection = 1 }).RunUntilAsync(mailing, Cancel);
        while (true)
        {
            allowed++;
            await SentAsync(place, mailing, allowed);
            if (allowed == 6) break;
            for (var hour = 0; hour < 20; hour++)
            {
                clock.Advance(TimeSpan.FromHours(1));
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Cancel);
            }
        }

        await EndAsync(running, TimeSpan.FromSeconds(1));
        Assert.Equal((MailingState.Sent, 6L, 0L), ((await running).State, (await running).Balance.Sent, (await running).Balance.Failed));
        Assert.True(clock.GetUtcNow() >= Start.AddHours(100));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Neither_a_server_that_was_off_for_days_nor_a_clock_that_jumps_gives_up_anybody_before_an_hour_without_an_accepted_message(bool isOff)
    {
        await using var place = EnginePlace.Open(moment => moment.Stage == SmtpStage.Connect ? SmtpMove.ReplyThenClose("421 4.3.2 going down") : SmtpMove.Accept, time: clock);
        var mailing = await place.PublishAsync(3);
        var process = place.Start();
        var running = process.RunUntilAsync(mailing, Cancel);
        await Eventually.HoldsAsync(() => place.Server.Connections > 0, "the run has begun");
        if (isOff)
        {
            await process.DisposeAsync();
            Assert.Equal(MailingState.Sending, (await running).State);
            clock.Advance(TimeSpan.FromDays(4));
            running = place.Start().RunUntilAsync(mailing, Cancel);
        }
        else
        {
            clock.Jump(TimeSpan.FromDays(4));
        }

        var again = clock.GetTimestamp();
        await EndAsync(running, TimeSpan.FromSeconds(20));
        Assert.Equal((MailingState.Sent, 3L), ((await running).State, (await running).Balance.Failed));
        Assert.True(clock.GetElapsedTime(again) > TimeSpan.FromMinutes(59));
    }

    [Fact]
    public async Task While_very_many_are_given_up_the_lease_is_renewed()
    {
        await using var place = EnginePlace.Open(moment => moment.Stage == SmtpStage.Connect ? SmtpMove.ReplyThenClose("421 4.3.2 going down") : SmtpMove.Accept, time: clock);
        LargeLedger? large = null;
        place.Around = ledger => LargeLedger.Over(ledger, clock, out large);
        var mailing = await place.PublishAsync(3);
        var running = place.Start().RunUntilAsync(mailing, Cancel);
        await Eventually.HoldsAsync(
            () =>
            {
                if (large!.Portions is 0 or LargeLedger.AllPortions) clock.Advance(TimeSpan.FromMinutes(5));
                return running.IsCompleted;
            },
            "the mailing ends", TimeSpan.FromMinutes(1));
        Assert.Equal(3, (await running).Balance.Failed);
        Assert.InRange(large!.WithoutRenewal, TimeSpan.FromSeconds(1), place.Options.Lease / 2);
    }

    private Task EndAsync(Task running, TimeSpan step) => Eventually.HoldsAsync(
        () =>
        {
            clock.Advance(step);
            return running.IsCompleted;
        },
        "the mailing ends", TimeSpan.FromMinutes(1));

    // A relay that is down most of the time.
    private SmtpMove TakesAllowed(SmtpMoment moment)
    {
        if (moment.Stage == SmtpStage.Message) Interlocked.Increment(ref taken);
        return moment.Stage == SmtpStage.Connect && Volatile.Read(ref taken) >= Volatile.Read(ref allowed) ? SmtpMove.ReplyThenClose("421 4.3.2 going down") : SmtpMove.Accept;
    }

    // By little steps while something is under way: its answer is not to be late.
    private async Task SentAsync(EnginePlace place, long mailing, int sent)
    {
        for (var looks = 0; await place.BalanceAsync(mailing) is var balance && balance.Sent < sent; looks++)
        {
            Assert.True(balance.Failed == 0 && looks < 5000, balance.ToString());
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Cancel);
            clock.Advance(TimeSpan.FromSeconds(balance.Sending > 0 ? 0.1 : 5));
        }
    }
}
