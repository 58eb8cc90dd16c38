using Microsoft.Data.Sqlite;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>A clock that was wrong for seconds puts nobody off for longer than the schedule does once it is right.</summary>
public sealed class FarAttemptsTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 8, 0, 0, TimeSpan.Zero);

    private readonly SetClock clock = new(Start);
    private readonly DeliveryOptions options = new() { FirstRetryAfter = TimeSpan.FromMinutes(5), MaxRetryDelay = TimeSpan.FromMinutes(20) };
    private volatile bool isWell;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whom_a_clock_that_was_a_day_ahead_put_off_is_tried_within_the_longest_wait_after_it_is_right()
    {
        await using var place = EnginePlace.Open(Answer, options, clock);
        var mailing = await place.PublishAsync(3);
        var process = place.Start();
        await PutOffAsync(process, mailing, TimeSpan.FromDays(1));

        await LookAsync(process);
        Assert.All(await place.DeliveriesAsync(mailing), report => Assert.Equal(clock.GetUtcNow() + options.MaxRetryDelay, report.NextAttemptAt));

        isWell = true;
        clock.Advance(options.MaxRetryDelay);
        Assert.Equal([mailing], await place.Database.Mailings.DueAsync(clock.GetUtcNow(), Cancel));
        Assert.Equal((MailingState.Sent, 3L), ((await process.RunAsync(mailing)).State, (await place.ReconcileAsync(mailing)).Sent));
    }

    [Fact]
    public async Task Whom_it_met_is_not_given_up_for_days_that_did_not_pass()
    {
        await using var place = EnginePlace.Open(Answer, options, clock);
        var mailing = await place.PublishAsync(3);
        var process = place.Start();
        await PutOffAsync(process, mailing, TimeSpan.Zero);
        await PutOffAsync(process, mailing, options.GiveUpAfter + TimeSpan.FromDays(1));

        isWell = true;
        await LookAsync(process);
        clock.Advance(options.MaxRetryDelay);
        Assert.Equal((MailingState.Sent, 3L), ((await process.RunAsync(mailing)).State, (await place.ReconcileAsync(mailing)).Sent));
    }

    [Fact]
    public async Task A_clock_that_stays_there_gives_up_in_the_end()
    {
        await using var place = EnginePlace.Open(Answer, options, clock);
        var mailing = await place.PublishAsync(3);
        var process = place.Start();
        await PutOffAsync(process, mailing, TimeSpan.Zero);
        clock.Jump(options.GiveUpAfter);
        Assert.Equal(3, (await process.RunAsync(mailing)).Balance.Deferred);

        clock.Advance(options.MaxRetryDelay);
        Assert.Equal(3, (await process.RunAsync(mailing)).Balance.Failed);
    }

    [Fact]
    public async Task What_the_schedule_gave_is_left_as_it_is()
    {
        await using var place = EnginePlace.Open(Answer, options, clock);
        var mailing = await place.PublishAsync(3);
        var process = place.Start();
        await PutOffAsync(process, mailing, TimeSpan.Zero);
        var given = (await place.DeliveriesAsync(mailing)).ConvertAll(report => report.NextAttemptAt);

        await LookAsync(process);
        Assert.Equal(given, (await place.DeliveriesAsync(mailing)).ConvertAll(report => report.NextAttemptAt));
    }

    [Fact]
    public async Task A_clock_that_is_a_day_behind_until_it_is_set_has_nobody_tried_earlier()
    {
        await using var place = EnginePlace.Open(Answer, options, clock);
        var mailing = await place.PublishAsync(3);
        var process = place.Start();
        await PutOffAsync(process, mailing, TimeSpan.Zero);
        var given = (await place.DeliveriesAsync(mailing)).ConvertAll(report => report.NextAttemptAt);

        clock.Jump(-TimeSpan.FromDays(1));
        await process.Engine.RecoverAsync(Cancel);
        clock.Advance(options.FirstRetryAfter - TimeSpan.FromSeconds(1));
        await process.Engine.RecoverAsync(Cancel);
        clock.Jump(TimeSpan.FromDays(1));
        await process.Engine.RecoverAsync(Cancel);
        Assert.Equal(given, (await place.DeliveriesAsync(mailing)).ConvertAll(report => report.NextAttemptAt));
    }

    [Fact]
    public async Task A_machine_whose_clock_stays_ahead_tries_nobody_more_often_than_the_shortest_wait_because_of_the_others()
    {
        await using var place = EnginePlace.Open(Answer, options, clock);
        var mailing = await place.PublishAsync(3);
        var process = place.Start();
        await PutOffAsync(process, mailing, TimeSpan.FromDays(1));
        await LookAsync(process);
        PutOffByAnother(place, Start.AddDays(2));

        clock.Advance(options.FirstRetryAfter - TimeSpan.FromSeconds(1));
        await process.Engine.RecoverAsync(Cancel);
        Assert.All(await place.DeliveriesAsync(mailing), report => Assert.True(report.NextAttemptAt > Start.AddDays(1)));

        clock.Advance(TimeSpan.FromSeconds(1));
        await process.Engine.RecoverAsync(Cancel);
        Assert.All(await place.DeliveriesAsync(mailing), report => Assert.Equal(clock.GetUtcNow() + options.MaxRetryDelay, report.NextAttemptAt));
    }

    // As a server does every few seconds: until the clock has gone on for long enough.
    private async Task LookAsync(EngineProcess process)
    {
        await process.Engine.RecoverAsync(Cancel);
        clock.Advance(options.FirstRetryAfter);
        await process.Engine.RecoverAsync(Cancel);
    }

    private static void PutOffByAnother(EnginePlace place, DateTimeOffset until)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(place.DataFolder, "weeklydigest.db")}");
        connection.Open();
        using var change = connection.CreateCommand();
        change.CommandText = "UPDATE delivery SET next_attempt_at = $until";
        change.Parameters.AddWithValue("$until", until.ToUnixTimeMilliseconds());
        Assert.Equal(3, change.ExecuteNonQuery());
    }

    // A run in which everybody is put off, with the clock so far ahead.
    private async Task PutOffAsync(EngineProcess process, long mailing, TimeSpan ahead)
    {
        clock.Jump(ahead);
        Assert.Equal(3, (await process.RunAsync(mailing)).Balance.Deferred);
        clock.Jump(-ahead);
    }

    private SmtpMove Answer(SmtpMoment moment) => moment.Stage == SmtpStage.RcptTo && !isWell ? SmtpMove.Reply("451 4.2.1 try later") : SmtpMove.Accept;
}
