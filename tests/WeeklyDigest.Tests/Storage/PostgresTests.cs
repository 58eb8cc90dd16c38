using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Tests.Storage;

public sealed class PostgresLedgerTests : LedgerSuite<PostgresPlace>;

public sealed class PostgresLapsedLeaseTests : LapsedLeaseSuite<PostgresPlace>
{
    [Fact]
    public async Task A_renewal_that_is_under_way_is_waited_for()
    {
        await LapsedAsync();
        Task<RecoveredRows> recovery;
        await using (await Place.BeginAsync(Renewal, commit: true))
        {
            recovery = RecoverAsync();
            await Place.SomebodyWaitsAsync();
        }
        Assert.Equal(new RecoveredRows(0, 0, 0), await recovery);
    }

    [Fact]
    public async Task A_recovery_that_is_made_again_since_its_connection_was_ended_looks_at_the_lease_again()
    {
        await LapsedAsync();
        Task<RecoveredRows> recovery;
        await using (var other = await Place.BeginAsync("SELECT 1 FROM delivery FOR UPDATE", commit: true))
        {
            recovery = RecoverAsync();
            await Place.SomebodyWaitsAsync();
            await other.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'; " + Renewal);
        }
        Assert.Equal(new RecoveredRows(0, 0, 0), await recovery);
        Assert.Equal(2, Assert.Single(await Ledger.HoldersAsync(Cancel)).Rows);
    }

    [Fact]
    public async Task What_the_owner_claims_and_begins_while_it_is_recovered_stays_with_it()
    {
        var mailing = await LapsedAsync();
        Place.HaltChanges();
        Task<RecoveredRows> recovery;
        await using (var other = await Place.BeginAsync(PostgresPlace.Halt, commit: true))
        {
            recovery = RecoverAsync();
            await Place.SomebodyWaitsAsync();
            await other.ExecuteAsync("UPDATE delivery SET state = 'sending', owner = 'one', stamp = 1, lease_until = clock_ms() + 60000 WHERE subscriber_id = 3");
        }
        Assert.Equal(new RecoveredRows(1, 1, 0), await recovery);
        Assert.Equal((2, 1), ((await Balance(mailing)).Pending, (await Balance(mailing)).Sending));
    }

    private const string Renewal = "UPDATE delivery SET lease_until = clock_ms() + 60000 WHERE owner IS NOT NULL";
}

public sealed class PostgresLongWaitTests : LongWaitSuite<PostgresPlace>
{
    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task A_node_whose_clock_is_a_day_off_cuts_nothing(int days)
    {
        var mailing = await Published(1);
        var (mine, right) = (TimeProvider.System.GetUtcNow().AddDays(days), TimeProvider.System.GetUtcNow());
        await DeferAsync(mailing, [right.AddDays(3)]);
        Assert.Equal(0, await CutAsync(mine));
        Assert.Equal(1, await CutAsync(right));
    }
}

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

public sealed class PostgresSentAgainTests : SentAgainSuite<PostgresPlace>
{
    private const string Back = "UPDATE subscriber SET status = 'active'; DELETE FROM suppression";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_is_back_while_a_claim_passes_them_over_waits_as_before(bool sentAgain)
    {
        var mailing = await Published(2);
        if (sentAgain) await Write(await HeldAgain(mailing), DeliveryState.Claimed, DeliveryState.Pending);
        Bounce(1);
        Place.HaltChanges();
        Task<IReadOnlyList<Delivery>> claim;
        await using (var other = await Place.BeginAsync(PostgresPlace.Halt, commit: true))
        {
            claim = Claim(mailing);
            await Place.SomebodyWaitsAsync();
            await other.ExecuteAsync(Back);
        }
        Assert.Equal(2, (await claim).Single().Id.SubscriberId);
        Assert.Equal((1L, sentAgain ? 1 : 0), ((await Balance(mailing)).Pending, (await Claim(mailing)).Single().Resent));
    }

    [Theory]
    [InlineData(true, DeliveryState.Claimed)]
    [InlineData(true, DeliveryState.Sending)]
    [InlineData(false, DeliveryState.Claimed)]
    [InlineData(false, DeliveryState.Sending)]
    public async Task Who_is_back_while_a_mark_is_refused_waits_as_before(bool sentAgain, DeliveryState from)
    {
        var mailing = await Published(1);
        var row = sentAgain ? await HeldAgain(mailing) : (await Claim(mailing)).Single();
        if (from == DeliveryState.Sending) await Write(row, DeliveryState.Claimed, from);
        Bounce(1);
        Task<LedgerWriteResult> mark;
        await using (var other = await Place.BeginAsync("SELECT 1 FROM delivery FOR UPDATE", commit: true))
        {
            mark = Write(row, from, DeliveryState.Sending);
            await Place.SomebodyWaitsAsync();
            await other.ExecuteAsync(Back);
        }
        Assert.Equal(LedgerWriteResult.Fenced, await mark);
        Assert.Equal((1L, sentAgain ? 1 : 0), ((await Balance(mailing)).Pending, (await Claim(mailing)).Single().Resent));
    }
}

public sealed class PostgresRescheduleTests : RescheduleSuite<PostgresPlace>;

public sealed class PostgresStandingTests : StandingSuite<PostgresPlace>;

public sealed class PostgresRelayTests : RelaySuite<PostgresPlace>;

public sealed class PostgresMigrationTests : MigrationSuite<PostgresPlace>;

public sealed class PostgresSubscriberTests : SubscriberSuite<PostgresPlace>;

public sealed class PostgresTwoProcessesTests : TwoProcessesSuite<PostgresPlace>;

public sealed class PostgresDoubtTests : DoubtSuite<PostgresPlace>
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Whom_another_node_is_passing_over_at_the_moment_of_the_pardon_is_readmitted_as_well(bool underWay)
    {
        var (refused, other) = (await Published(1), (await Publish("week-2")).MailingId);
        if (underWay) await Write((await Claim(other)).Single(), DeliveryState.Claimed, DeliveryState.Sending);
        await RefuseAsync(Ledger, (await Claim(refused)).Single(), "bad");
        Task<long> pardon;
        await using (await Place.BeginAsync($"UPDATE delivery SET state = 'suppressed', owner = NULL, lease_until = NULL, reply = 'Not sent: the address is suppressed (bounced).' WHERE mailing_id = {other}", commit: true))
        {
            pardon = Ledger.PardonRelayAsync("bad", 10, OnUncertain.Hold, Now, Cancel);
            await Place.SomebodyWaitsAsync();
        }
        Assert.Equal(1, await pardon);
        Assert.Single(await Claim(other));
    }

    [Fact]
    public async Task Whose_process_has_died_is_sent_it_again_also_when_that_is_found_out_at_the_moment_of_the_pardon()
    {
        var (refused, other) = (await Published(1), (await Publish("week-2")).MailingId);
        await Write((await Claim(other)).Single(), DeliveryState.Claimed, DeliveryState.Sending);
        await RefuseAsync(Ledger, (await Claim(refused)).Single(), "bad");
        Task<long> pardon;
        Task<RecoveredRows> recovery;
        await using (await Place.BeginAsync("SELECT 1 FROM subscriber FOR NO KEY UPDATE"))
        {
            pardon = Ledger.PardonRelayAsync("bad", 10, OnUncertain.Resend, Now, Cancel);
            await Place.SomebodyWaitsAsync();
            recovery = Ledger.RecoverAsync("one", OnUncertain.Resend, Now, Cancel);
            await Place.SomebodyWaitsAsync(atLeast: 2);
        }
        Assert.Equal((1L, new RecoveredRows(0, 1, 0)), (await pardon, await recovery));
    }
}

public sealed class PostgresRefusalTests : RefusalSuite<PostgresPlace>;

public sealed class PostgresRoomTests : RoomSuite<PostgresPlace>;

public sealed class PostgresScheduleTests : ScheduleSuite<PostgresPlace>;
