namespace WeeklyDigest.Tests.Storage;

public sealed class PostgresLedgerTests : LedgerSuite<PostgresPlace>;

public sealed class PostgresMarkTests : MarkSuite<PostgresPlace>;

public sealed class PostgresDecisionTests : DecisionSuite<PostgresPlace>;

public sealed class PostgresMailingTests : MailingSuite<PostgresPlace>
{
    [Fact]
    public async Task A_count_that_nobody_waits_for_any_more_ends()
    {
        await Import("readers", "ada@example.org");
        var mailing = (await Publish()).MailingId;
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        await using (await Place.BeginAsync("LOCK TABLE delivery, membership IN ACCESS EXCLUSIVE MODE"))
        {
            Task[] counts =
            [
                Mailings.BalanceAsync(mailing, enough.Token), Mailings.LeftAloneAsync(mailing, enough.Token), Mailings.RetriableAsync(mailing, enough.Token), Subscribers.ListsAsync(enough.Token),
            ];
            await Place.SomebodyWaitsAsync();
            await enough.CancelAsync();
            foreach (var count in counts) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => count.WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System, Cancel));
        }
    }
}

public sealed class PostgresSentAgainTests : SentAgainSuite<PostgresPlace>;

public sealed class PostgresRescheduleTests : RescheduleSuite<PostgresPlace>;

public sealed class PostgresStandingTests : StandingSuite<PostgresPlace>;

public sealed class PostgresRelayTests : RelaySuite<PostgresPlace>;

public sealed class PostgresMigrationTests : MigrationSuite<PostgresPlace>;

public sealed class PostgresSubscriberTests : SubscriberSuite<PostgresPlace>;

public sealed class PostgresTwoProcessesTests : TwoProcessesSuite<PostgresPlace>;

public sealed class PostgresDoubtTests : DoubtSuite<PostgresPlace>
{
    [Fact]
    public async Task Whom_another_node_is_passing_over_at_the_moment_of_the_pardon_is_readmitted_as_well()
    {
        var (refused, other) = (await Published(1), (await Publish("week-2")).MailingId);
        await RefuseAsync(Ledger, (await Claim(refused)).Single(), "bad");
        Task<long> pardon;
        await using (await Place.BeginAsync($"UPDATE delivery SET state = 'suppressed', reply = 'Not sent: the address is suppressed (bounced).' WHERE mailing_id = {other}", commit: true))
        {
            pardon = Ledger.PardonRelayAsync("bad", 10, Now, Cancel);
            await Place.SomebodyWaitsAsync();
        }
        Assert.Equal(1, await pardon);
        Assert.Single(await Claim(other));
    }
}

public sealed class PostgresRefusalTests : RefusalSuite<PostgresPlace>;

public sealed class PostgresRoomTests : RoomSuite<PostgresPlace>;

public sealed class PostgresScheduleTests : ScheduleSuite<PostgresPlace>;
