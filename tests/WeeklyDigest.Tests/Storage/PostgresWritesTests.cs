using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;
using WeeklyDigest.Storage;
using WeeklyDigest.Storage.Postgres;
using WeeklyDigest.Tests.Databases;

namespace WeeklyDigest.Tests.Storage;

/// <summary>What only a server has: commits whose answer is lost, clocks that differ, transactions that overlap.</summary>
public sealed class PostgresWritesTests : StorageSuite<PostgresPlace>
{
    private static readonly string Cancelling = Queries.Get("CloseGate").TrimEnd(';') + "; UPDATE mailing SET state = 'cancelled'";

    [Fact]
    public async Task A_group_written_again_because_its_answer_was_lost_answers_as_the_first_time()
    {
        var mailing = await Published(4);
        var rows = await Claim(mailing);
        LedgerWrite[] marks = [.. rows.Select(row => Change(row, DeliveryState.Claimed, DeliveryState.Sending))];
        LedgerWrite[] outcomes =
        [
            Change(rows[0], DeliveryState.Sending, DeliveryState.Sent, "250 ok"),
            Change(rows[1], DeliveryState.Sending, DeliveryState.Failed, "550 no"),
            Change(rows[2], DeliveryState.Sending, DeliveryState.Deferred, "450 later") with { NextAttemptAt = Now.AddMinutes(5) },
            Change(rows[3], DeliveryState.Sending, DeliveryState.Pending),
        ];
        foreach (var group in new[] { marks, marks, outcomes, outcomes })
            Assert.All(await Ledger.WriteAsync(group, Cancel), result => Assert.Equal(LedgerWriteResult.Written, result));

        var balance = await Balance(mailing);
        Assert.Equal((1, 1, 1, 1, 3), (balance.Sent, balance.Failed, balance.Deferred, balance.Pending, balance.Attempts));
    }

    [Fact]
    public async Task A_mark_written_again_because_its_answer_was_lost_sees_who_has_left_meanwhile()
    {
        var mailing = await Published(2);
        LedgerWrite[] marks = [.. (await Claim(mailing)).Select(row => Change(row, DeliveryState.Claimed, DeliveryState.Sending))];
        await Ledger.WriteAsync(marks, Cancel);
        await Subscribers.UnsubscribeAsync(marks[0].Id.SubscriberId, "link", Cancel);
        Assert.Equal([LedgerWriteResult.Suppressed, LedgerWriteResult.Written], await Ledger.WriteAsync(marks, Cancel));
        Assert.Equal((1, 1), ((await Balance(mailing)).Suppressed, (await Balance(mailing)).Sending));
    }

    [Fact]
    public async Task A_row_may_change_twice_in_one_group()
    {
        var mailing = await Published(2);
        var rows = await Claim(mailing);
        foreach (var row in rows) await Write(row, DeliveryState.Claimed, DeliveryState.Sending);
        var results = await Ledger.WriteAsync(
            [
                Change(rows[0], DeliveryState.Sending, DeliveryState.Uncertain, "lost"),
                Change(rows[1], DeliveryState.Sending, DeliveryState.Sent, "250 ok"),
                Change(rows[0], DeliveryState.Uncertain, DeliveryState.Pending),
            ],
            Cancel);
        Assert.All(results, result => Assert.Equal(LedgerWriteResult.Written, result));
        Assert.Equal((DeliveryState.Pending, 1, 1), ((await Report(rows[0].Id)).State, (await Report(rows[0].Id)).Attempts, (await Report(rows[0].Id)).Resent));
    }

    [Theory]
    [InlineData(-90)]
    [InlineData(90)]
    public async Task A_node_whose_clock_is_off_sees_the_same_lease(int minutes)
    {
        var mailing = await Published(1);
        await Claim(mailing);
        Clock.AdjustTime(Now.AddMinutes(minutes));
        using var other = Open();
        var holder = Assert.Single(await other.Ledger.HoldersAsync(Cancel));
        Assert.InRange(holder.LeaseUntil, Now.AddSeconds(30), Now.AddMinutes(1));
    }

    [Fact]
    public async Task Rows_given_back_behind_the_place_of_the_last_claim_are_found_again()
    {
        var mailing = await Published(20);
        var first = await ClaimAfter(0);
        var second = await ClaimAfter(first.Next);
        await Write(first.Deliveries[1], DeliveryState.Claimed, DeliveryState.Pending);
        var third = await ClaimAfter(second.Next);
        Assert.Equal(Enumerable.Range(15, 6).Select(i => $"reader{i}@example.org"), third.Deliveries.Select(row => row.Recipient.Address.Value));
        Assert.Equal(0, third.Next);
        Assert.Equal(first.Deliveries[1].Id, Assert.Single((await ClaimAfter(third.Next)).Deliveries).Id);

        Task<ClaimedRows> ClaimAfter(long after) => Ledger.ClaimAsync(new ClaimRequest(mailing, 7, Claimant("one")) { After = after }, Cancel);
    }

    [Fact]
    public async Task Rows_that_another_node_is_taking_are_stepped_over()
    {
        var mailing = await Published(4);
        await using var taking = await Place.BeginAsync("SELECT 1 FROM delivery WHERE subscriber_id IN (1, 3) FOR UPDATE");
        Assert.Equal([2, 4], (await Claim(mailing)).Select(row => row.Id.SubscriberId));
    }

    [Theory]
    [InlineData(true, DeliveryState.Claimed)]
    [InlineData(false, DeliveryState.Claimed)]
    [InlineData(true, DeliveryState.Sending)]
    [InlineData(false, DeliveryState.Sending)]
    public async Task A_mark_that_waits_behind_an_unsubscription_or_a_pause_sees_it(bool unsubscribed, DeliveryState from)
    {
        var mailing = await Published(1);
        var row = Assert.Single(await Claim(mailing));
        if (from == DeliveryState.Sending) await Write(row, DeliveryState.Claimed, from);
        Task<LedgerWriteResult> mark;
        await using (await Place.BeginAsync("SELECT pg_advisory_xact_lock(1464101223, 2); " + (unsubscribed
            ? "UPDATE subscriber SET status = 'unsubscribed'"
            : "UPDATE mailing SET state = 'paused'"), commit: true))
        {
            mark = Write(row, from, DeliveryState.Sending);
            await Place.SomebodyWaitsAsync();
            Assert.False(mark.IsCompleted);
        }
        Assert.Equal(unsubscribed ? LedgerWriteResult.Suppressed : LedgerWriteResult.Fenced, await mark);
        Assert.Equal(unsubscribed ? DeliveryState.Suppressed : DeliveryState.Pending, (await Report(row.Id)).State);
    }

    [Fact]
    public async Task Whose_turn_it_is_to_start_a_job_has_nothing_to_do_with_marks()
    {
        var row = (await Claim(await Published(1))).Single();
        var hadTurn = false;
        await using (await Place.BeginAsync(Queries.Get("Gate")))
        {
            await Database.TryAloneAsync(
                async () =>
                {
                    hadTurn = true;
                    Assert.Equal(LedgerWriteResult.Written, await Write(row, DeliveryState.Claimed, DeliveryState.Sending));
                    await Database.TryAloneAsync(() => throw new InvalidOperationException("Two had their turn at once."), Cancel);
                },
                Cancel);
        }
        Assert.True(hadTurn);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_brings_a_bounced_subscriber_back_takes_the_subscriber_first_as_an_unsubscription_does(bool byPardon)
    {
        var row = (await Claim(await Published(1))).Single();
        await Write(row, DeliveryState.Claimed, DeliveryState.Sending);
        await Ledger.WriteAsync([Change(row, DeliveryState.Sending, DeliveryState.Failed, "550 no") with { Refusal = Refusal.Address }], Cancel);
        Task back;
        await using (var other = await Place.BeginAsync("SELECT 1 FROM subscriber FOR NO KEY UPDATE"))
        {
            back = byPardon ? Ledger.PardonAsync([row], OnUncertain.Hold, Now, Cancel) : Subscribers.AddAsync(List("readers"), row.Recipient.Address, null, new Dictionary<string, string>(), Cancel);
            await Place.SomebodyWaitsAsync();
            await other.ExecuteAsync("SELECT 1 FROM suppression FOR UPDATE NOWAIT");
        }
        await back;
        Assert.Null(await Subscribers.FindSuppressionAsync(row.Recipient.Address, Cancel));
    }

    [Fact]
    public async Task Who_unsubscribes_while_an_import_holds_the_subscriber_does_not_wait_for_it()
    {
        var row = (await Claim(await Published(1))).Single();
        await using (await Place.BeginAsync("UPDATE subscriber SET name = 'Ann'", commit: true))
            Assert.True(await Subscribers.UnsubscribeAsync(row.Recipient.Id, "link", Cancel).WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System, Cancel));
        Assert.Equal(("unsubscribed", "link"), ((await Subscribers.FindSuppressionAsync(row.Recipient.Address, Cancel))!.Reason, (await Subscribers.FindSuppressionAsync(row.Recipient.Address, Cancel))!.Source));
        Assert.Equal(LedgerWriteResult.Suppressed, await Write(row, DeliveryState.Claimed, DeliveryState.Sending));
        Assert.False(await Subscribers.UnsubscribeAsync(99, "link", Cancel));
    }

    [Theory]
    [InlineData("balance", "LOCK TABLE delivery")]
    [InlineData("cancel", "SELECT 1 FROM delivery FOR UPDATE")]
    [InlineData("retry", "LOCK TABLE delivery")]
    public async Task What_walks_a_whole_mailing_may_take_longer_than_a_statement_usually_may(string what, string held)
    {
        var mailing = await Published(1);
        Place.Execute("UPDATE delivery SET resent = 1");
        using var impatient = Database.Open(SharedPostgres.Options(Place.Options.ConnectionString + ";Command Timeout=1"), Clock);
        Task walk;
        await using (var other = await Place.BeginAsync(held))
        {
            walk = what switch
            {
                "balance" => impatient.Mailings.BalanceAsync(mailing, Cancel),
                "cancel" => impatient.Mailings.ChangeStateAsync(mailing, [MailingState.Sending], MailingState.Cancelled, null, Now, Cancel),
                _ => impatient.Ledger.DecideAsync(new DecisionPortion(mailing, DeliveryEvent.Retry, 0, 100, Now), Cancel),
            };
            await Place.SomebodyWaitsAsync();
            await other.ExecuteAsync("SELECT pg_sleep(4)");
        }
        await walk;
    }

    [Fact]
    public async Task What_goes_through_a_whole_mailing_may_take_longer_than_the_server_allows_a_statement()
    {
        var mailing = await Published(3);
        using var limited = Database.Open(Place.Options with { ConnectionString = Place.Options.ConnectionString + ";Options=-c statement_timeout=2s" }, Clock);
        Task<Balance> counting;
        await using (var other = await Place.BeginAsync("LOCK TABLE delivery"))
        {
            counting = limited.Mailings.BalanceAsync(mailing, Cancel);
            await Place.SomebodyWaitsAsync();
            await other.ExecuteAsync("SELECT pg_sleep(2.5)");
        }
        Assert.Equal(3, (await counting).Pending);
    }

    [Fact]
    public async Task An_import_finds_each_portion_of_those_it_knows_by_an_index()
    {
        await using var other = await Place.BeginAsync(Queries.Get("PrepareImport"));
        await other.ExecuteAsync("INSERT INTO known SELECT i, false, true, 'a', '{}', 'b', '{}' FROM generate_series(1, 20000) i");
        await other.ExecuteAsync(Queries.Get("IndexKnown"));
        await other.ExecuteAsync("SET LOCAL plan_cache_mode = force_generic_plan; PREPARE page (bigint, bigint) AS " + Queries.Get("ChangedPage").Replace("@after", "$1", StringComparison.Ordinal).Replace("@count", "$2", StringComparison.Ordinal));
        var plan = string.Join('\n', await other.LinesAsync("EXPLAIN EXECUTE page (10000, 5000)"));
        Assert.Contains("Index Scan", plan, StringComparison.Ordinal);
        Assert.DoesNotContain("Sort", plan, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mailing_is_not_closed_while_a_further_list_is_being_added()
    {
        await Import("readers", "ann@example.org");
        var mailing = (await Publish()).MailingId;
        var row = Assert.Single(await Claim(mailing));
        await Write(row, DeliveryState.Claimed, DeliveryState.Sending);
        await Write(row, DeliveryState.Sending, DeliveryState.Sent);
        Task<bool> closing;
        await using (await Place.BeginAsync(
            $"SELECT 1 FROM mailing WHERE id = {mailing} FOR NO KEY UPDATE; INSERT INTO subscriber (id, address, status, created_at, updated_at) VALUES (50, 'zoe@example.org', 'active', 0, 0); "
            + $"INSERT INTO delivery (mailing_id, subscriber_id, state, updated_at) VALUES ({mailing}, 50, 'pending', 0)", commit: true))
        {
            closing = Mailings.ChangeStateAsync(mailing, [MailingState.Sending], MailingState.Sent, null, Now, Cancel);
            await Place.SomebodyWaitsAsync();
        }
        Assert.False(await closing);
    }

    [Fact]
    public async Task The_victim_of_a_deadlock_does_its_work_again()
    {
        var mailing = await Published(2);
        await Claim(mailing);
        Task<RecoveredRows> recovery;
        await using (var other = await Place.BeginAsync("UPDATE delivery SET reply = 'a' WHERE subscriber_id = 2"))
        {
            // The recovery holds row 1 and waits for row 2. It has waited longer, so the server ends it and not the other.
            recovery = Ledger.RecoverAsync("one", OnUncertain.Hold, Now, Cancel);
            await Place.SomebodyWaitsAsync();
            await other.ExecuteAsync("UPDATE delivery SET reply = 'a' WHERE subscriber_id = 1");
        }
        Assert.Equal(new RecoveredRows(2, 0, 0), await recovery);
    }

    [Fact]
    public async Task A_mailing_that_is_being_cancelled_is_waited_for_by_whoever_takes_a_dead_nodes_rows_back()
    {
        var mailing = await Published(1);
        await Write((await Claim(mailing)).Single(), DeliveryState.Claimed, DeliveryState.Sending);
        Task<RecoveredRows> recovery;
        await using (await Place.BeginAsync(Cancelling, commit: true))
        {
            recovery = Ledger.RecoverAsync("one", OnUncertain.Resend, Now, Cancel);
            await Place.SomebodyWaitsAsync();
        }
        Assert.Equal(new RecoveredRows(0, 0, 1), await recovery);
    }

    [Fact]
    public async Task A_mailing_that_is_being_cancelled_is_waited_for_by_a_mark_that_a_pause_has_refused()
    {
        var mailing = await Published(1);
        var row = (await Claim(mailing)).Single();
        Place.Execute("UPDATE delivery SET resent = 1; UPDATE mailing SET state = 'paused'");
        var writes = new PostgresWrites([Change(row, DeliveryState.Claimed, DeliveryState.Sending)]);
        using var server = PostgresServer.Prepare(Place.Options.ConnectionString);
        Assert.Equal(0, await server.RunAsync(writes.ApplyAsync, Cancel));
        Task settling;
        await using (await Place.BeginAsync(Cancelling, commit: true))
        {
            settling = server.TransactAsync(writes.SettleAsync, Cancel);
            await Place.SomebodyWaitsAsync();
        }
        await settling;
        Assert.Equal((LedgerWriteResult.Abandoned, DeliveryState.Uncertain), (writes.Results[0], (await Report(row.Id)).State));
    }

    private LedgerWrite Change(Delivery row, DeliveryState from, DeliveryState to, string? reply = null)
        => new(row.Id, row.Stamp, from, to, CountAttempt: reply is not null, reply, null, Now);
}
