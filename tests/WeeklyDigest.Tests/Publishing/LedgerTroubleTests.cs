using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>The ledger cannot be written: nothing may be handed over that it does not know of.</summary>
public sealed class LedgerTroubleTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task While_another_program_holds_the_database_nothing_is_sent_and_then_it_goes_on()
    {
        await using var place = EnginePlace.Open(Slowly);
        var mailing = await place.PublishAsync(1200);
        var seen = new LastNotice();
        var running = place.Start(relay => relay with { StalledConnections = 8 }).Engine.RunAsync(mailing, seen, Cancel);
        await place.Server.WaitForAcceptedAsync(50, Limit);
        int before;
        await using (await LockAsync(place))
        {
            before = place.Server.AcceptedCount;
            await place.Server.WaitForAsync(_ => seen.Notice is not null, Limit, "a notice of the ledger");
            Assert.Contains("Nothing is sent", seen.Notice, StringComparison.Ordinal);
            // What was marked before the lock may still go out: one message per connection.
            Assert.InRange(place.Server.AcceptedCount - before, 0, 4);
            Assert.False(running.IsCompleted);
            // Sender and recipient may have been said; of the message nothing, and no other connection goes on in the place of one that waits for the ledger.
            Assert.All(place.Server.Commands.GroupBy(command => command.Connection), said => Assert.StartsWith("RCPT ", said.Last().Line, StringComparison.Ordinal));
            Assert.Equal(4, place.Server.Connections);
        }

        Assert.Equal(MailingState.Sent, (await running.WaitAsync(Limit, Cancel)).State);
        Assert.Equal(1200, (await place.ReconcileAsync(mailing)).Attempts);
    }

    [Fact]
    public async Task Then_no_pace_and_no_end_is_told_and_both_come_back_as_they_were()
    {
        await using var place = EnginePlace.Open(moment => moment.Stage == SmtpStage.Message ? SmtpMove.Hold(Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System), SmtpMove.Accept) : SmtpMove.Accept);
        var mailing = await place.PublishAsync(1200);
        var told = new Told();
        var running = place.Start().Engine.RunAsync(mailing, told, Cancel);
        await place.Server.WaitForAsync(_ => told.Reports.Any(report => report.MessagesPerSecond > 0), Limit, "a pace");
        await using (await LockAsync(place)) await place.Server.WaitForAsync(_ => told.Reports.Count(IsUnusable) >= 4, Limit, "notices of the ledger");
        Assert.Equal(MailingState.Sent, (await running.WaitAsync(Limit, Cancel)).State);

        Assert.All(told.Reports.Where(IsUnusable), report => Assert.Equal((0.0, null, null), (report.MessagesPerSecond, report.Remaining, report.DoneAt)));
        var after = told.Reports.SkipWhile(report => !IsUnusable(report)).SkipWhile(IsUnusable).Where(report => report.Balance.Open > 0).ToList();
        Assert.NotEmpty(after);
        // As exact as a busy machine lets it be: some two seconds in which nothing was sent had passed before that was known.
        var before = told.Reports.TakeWhile(report => !IsUnusable(report)).Max(report => report.MessagesPerSecond);
        Assert.All(after, report => Assert.InRange(report.MessagesPerSecond, 0.2 * before, 5 * before));
        Assert.All(after, report => Assert.Equal(report.Balance.Open / report.MessagesPerSecond, report.Remaining!.Value.TotalSeconds, 0.1));

        static bool IsUnusable(DeliveryProgress report) => report.Notice?.StartsWith("The ledger cannot be used", StringComparison.Ordinal) == true;
    }

    [Fact]
    public async Task Who_has_to_stop_then_stops_within_ten_seconds_and_only_what_was_handed_over_may_be_uncertain()
    {
        var clock = new ManualClock(new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero));
        await using var place = EnginePlace.Open(Slowly, time: clock);
        var mailing = await place.PublishAsync(1200);
        var process = place.Start();
        using var stop = new CancellationTokenSource();
        var running = process.RunUntilAsync(mailing, stop.Token);
        await place.Server.WaitForAcceptedAsync(50, Limit);
        await using (await LockAsync(place))
        {
            await Eventually.HoldsAsync(() => IsStuckAfterASecond(process, clock), "the next marks wait", Limit);
            await stop.CancelAsync();
            clock.Advance(TimeSpan.FromSeconds(9));
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(Limit, Cancel));
        }

        var accepted = place.Server.AcceptedCount;
        var balance = (await process.RunAsync(mailing)).Balance;
        Assert.True(balance.AddsUp);
        Assert.Equal(1200, balance.Sent + balance.Uncertain);
        Assert.InRange(balance.Uncertain, 0, 4);
        // A mark that nobody waited for any more was written after all: for a message that never left.
        var uncertain = (await place.DeliveriesAsync(mailing)).Where(report => report.State == DeliveryState.Uncertain).Select(report => report.Address);
        Assert.Empty(uncertain.Except(place.Server.Accepted.Select(message => message.Recipient)));
        Assert.InRange(accepted, 50, 1199);
        Assert.Equal(place.Server.AcceptedCount, place.Server.Accepted.Select(message => message.Recipient).Distinct().Count());
    }

    [Fact]
    public async Task While_only_the_count_of_the_deliveries_fails_messages_go_out_and_nobody_is_told_otherwise()
    {
        var (answer, isAway) = (new TaskCompletionSource(), false);
        await using var place = EnginePlace.Open(moment => moment is { Stage: SmtpStage.Message, Recipient: "r1@example.org" } ? SmtpMove.Hold(answer.Task, SmtpMove.Accept) : SmtpMove.Accept);
        place.AroundMailings = mailings => UncountableMailings.Over(mailings, () => Volatile.Read(ref isAway));
        var mailing = await place.PublishAsync(20);
        var (process, seen) = (place.Start(), new LastNotice());
        var running = process.Engine.RunAsync(mailing, seen, Cancel);
        await place.Server.WaitForAcceptedAsync(19, Limit);
        Volatile.Write(ref isAway, true);
        await place.Server.WaitForAsync(_ => seen.Notice is not null, Limit, "a notice of the count");
        Assert.Equal("The figures may be old, for the deliveries could not be counted: too slow.", seen.Notice);
        Volatile.Write(ref isAway, false);
        await place.Server.WaitForAsync(_ => seen.Notice is null, Limit, "the count");

        answer.SetResult();
        Assert.Equal(MailingState.Sent, (await running.WaitAsync(Limit, Cancel)).State);
        Assert.Empty(process.Warnings);
    }

    [Fact]
    public async Task A_mailing_that_cannot_be_counted_is_sent_all_the_same_ends_when_it_can_be_and_keeps_no_other_waiting()
    {
        var (answer, isAway) = (new TaskCompletionSource(), true);
        await using var place = EnginePlace.Open(moment => moment is { Stage: SmtpStage.Message, Recipient: "r1@example.org" } ? SmtpMove.Hold(answer.Task, SmtpMove.Accept) : SmtpMove.Accept);
        place.AroundMailings = mailings => UncountableMailings.Over(mailings, () => Volatile.Read(ref isAway));
        var mailing = await place.PublishAsync(20);
        var (process, seen) = (place.Start(), new LastNotice());
        var running = process.Engine.RunAsync(mailing, seen, Cancel);
        await place.Server.WaitForAcceptedAsync(19, Limit);
        await place.Server.WaitForAsync(_ => seen.Notice is not null, Limit, "a notice of the count");
        Assert.Equal("The figures may be old, for the deliveries could not be counted: too slow.", seen.Notice);

        answer.SetResult();
        await place.Server.WaitForAsync(_ => seen.Notice?.StartsWith("How the mailing stands", StringComparison.Ordinal) == true, Limit, "a notice of the end");
        Assert.Equal("How the mailing stands could not be read, and is asked again: too slow.", seen.Notice);
        // Marks and outcomes of other mailings would wait behind a count in the writer's turn.
        Assert.Null(process.Engine.Trouble);
        Volatile.Write(ref isAway, false);
        Assert.Equal(MailingState.Sent, (await running.WaitAsync(Limit, Cancel)).State);
        Assert.Null(seen.Notice);
    }

    // The lock has to be had before everybody has got it.
    private static SmtpMove Slowly(SmtpMoment moment)
        => moment.Stage == SmtpStage.Message ? SmtpMove.Hold(Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System), SmtpMove.Accept) : SmtpMove.Accept;

    private static async Task<SqliteConnection> LockAsync(EnginePlace place)
    {
        var connection = new SqliteConnection($"Data Source={Path.Combine(place.DataFolder, "weeklydigest.db")};Pooling=False");
        await connection.OpenAsync(Cancel);
        await using var begin = connection.CreateCommand();
        begin.CommandText = "BEGIN IMMEDIATE";
        await begin.ExecuteNonQueryAsync(Cancel);
        return connection;
    }

    private static bool IsStuckAfterASecond(EngineProcess process, ManualClock clock)
    {
        clock.Advance(TimeSpan.FromSeconds(1));
        return process.Engine.Trouble is not null;
    }

    private sealed class LastNotice : IProgress<DeliveryProgress>
    {
        public volatile string? Notice;

        public void Report(DeliveryProgress value) => Notice = value.Notice;
    }

    private sealed class Told : IProgress<DeliveryProgress>
    {
        public ConcurrentQueue<DeliveryProgress> Reports { get; } = new();

        public void Report(DeliveryProgress value) => Reports.Enqueue(value);
    }
}
