using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>What a process held when it died.</summary>
public sealed class RecoveryTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
    private readonly ManualClock clock = new(new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task A_dead_process_of_this_machine_is_recovered_at_once()
    {
        await using var place = EnginePlace.Open(time: clock);
        var mailing = await HoldAsync(place, "here/1/dead/1");
        // Its lock file is there, and nobody holds it: what kill -9 leaves behind.
        var trace = Path.Combine(place.DataFolder, "locks", "here_1_dead");
        Directory.CreateDirectory(Path.GetDirectoryName(trace)!);
        await File.WriteAllTextAsync(trace, "", Cancel);
        await place.Start().Engine.RecoverAsync(Cancel);

        var balance = await place.BalanceAsync(mailing);
        Assert.Equal((9L, 0L, 0L, 1L), (balance.Pending, balance.Claimed, balance.Sending, balance.Uncertain));
        Assert.False(File.Exists(trace));
    }

    [Fact]
    public async Task The_file_of_a_process_that_was_killed_while_it_held_nothing_goes_and_that_of_a_living_one_stays()
    {
        await using var place = EnginePlace.Open(time: clock);
        using var living = ProcessOwner.Take(place.DataFolder);
        var folder = Path.Combine(place.DataFolder, "locks");
        await File.WriteAllTextAsync(Path.Combine(folder, "here_1_dead"), "", Cancel);
        await place.Start().Engine.RecoverAsync(Cancel);
        var left = Directory.GetFiles(folder).Select(Path.GetFileName).ToList();
        Assert.DoesNotContain("here_1_dead", left);
        Assert.Contains(living.Name.Replace('/', '_'), left);
    }

    [Fact]
    public async Task What_a_dead_process_was_answered_and_what_it_never_handed_over_is_known_from_its_notes()
    {
        await using var place = EnginePlace.Open(time: clock);
        var dying = ProcessOwner.Take(place.DataFolder);
        var (mailing, sending) = await SendingAsync(place, dying.ForRun(1), 6);
        // Of six connections one was answered, one refused, one told to wait, one waits for its answer, and two have not come to their message's end,
        // one with the message before it, the other with the same at an earlier attempt.
        Note(dying, sending[0], new SendOutcome(SendResult.Accepted, "250 2.0.0 Ok: queued as 17 ä"));
        Note(dying, sending[1], new SendOutcome(SendResult.Rejected, "550 5.1.1 No such user") { Refusal = Refusal.Address });
        Note(dying, sending[2], new SendOutcome(SendResult.Deferred, "451 4.7.1 Later"));
        Note(dying, sending[3], null);
        var note = Note(dying, sending[4] with { Id = new DeliveryId(1, 99) }, new SendOutcome(SendResult.Accepted, "250 Ok"));
        note.Take(sending[4], "test", canWait: false);
        note = Note(dying, sending[5] with { Stamp = sending[5].Stamp - 1 }, new SendOutcome(SendResult.Deferred, "451 Later"));
        note.Take(sending[5], "test", canWait: false);
        dying.Dispose();
        await place.Start().Engine.RecoverAsync(Cancel);

        var rows = await RowsAsync(place, mailing);
        Assert.Equal(
            [(DeliveryState.Sent, 1, "250 2.0.0 Ok: queued as 17 ä"), (DeliveryState.Failed, 1, "550 5.1.1 No such user"), (DeliveryState.Deferred, 1, "451 4.7.1 Later")],
            sending.Take(3).Select(delivery => Parts(rows[delivery.Id.SubscriberId])));
        Assert.Equal((DeliveryState.Uncertain, 1), (rows[sending[3].Id.SubscriberId].State, rows[sending[3].Id.SubscriberId].Attempts));
        Assert.All(sending.Skip(4), delivery => Assert.Equal((DeliveryState.Pending, 0, null), Parts(rows[delivery.Id.SubscriberId])));
        Assert.Equal(SubscriberStatus.Bounced, (await place.Database.Subscribers.FindAsync(sending[1].Recipient.Address, Cancel))!.Status);
    }

    // A copy put in place, or a replica that had lagged: the process went on after it, and of what was in its hands then nobody can tell.
    [Fact]
    public async Task Of_a_ledger_that_is_older_than_a_dead_processs_notes_what_none_of_them_names_is_uncertain()
    {
        await using var place = EnginePlace.Open(time: clock);
        var dying = ProcessOwner.Take(place.DataFolder);
        var (mailing, sending) = await SendingAsync(place, dying.ForRun(1), 5);
        // On its connection each is followed by another delivery, one that left or one that did not; by a later claim of itself; or by nothing.
        Follow(sending[0] with { Id = new DeliveryId(1, 98) }, Note(dying, sending[0], new SendOutcome(SendResult.Accepted, "250 Ok")));
        Follow(sending[1] with { Stamp = sending[1].Stamp + 1 }, Note(dying, sending[1], new SendOutcome(SendResult.Deferred, "451 Later")));
        var note = Note(dying, sending[2] with { Id = new DeliveryId(1, 99) }, new SendOutcome(SendResult.Accepted, "250 Ok"));
        note.Take(sending[2] with { Stamp = sending[2].Stamp + 1 }, "test", canWait: false);
        Note(dying, sending[3], new SendOutcome(SendResult.Accepted, "250 Ok")).Clear();
        dying.Dispose();
        await place.Start().Engine.RecoverAsync(Cancel);

        var balance = await place.BalanceAsync(mailing);
        Assert.Equal((5L, 0L, 5L), (balance.Uncertain, balance.Pending, balance.Attempts));

        static void Follow(Delivery delivery, Handovers.Note note)
        {
            note.Take(delivery, "test", canWait: false);
            note.Leave();
        }
    }

    [Fact]
    public async Task Whom_a_relay_refused_over_which_a_process_died_is_not_suppressed_when_it_is_known_to_refuse_everybody()
    {
        await using var place = EnginePlace.Open(time: clock);
        var dying = ProcessOwner.Take(place.DataFolder);
        var (_, sending) = await SendingAsync(place, dying.ForRun(1), 3);
        await place.Database.Ledger.WriteAsync(
            [new LedgerWrite(sending[0].Id, sending[0].Stamp, DeliveryState.Sending, DeliveryState.Failed, true, "550", null, clock.GetUtcNow()) { Refusal = Refusal.Address, Relay = new RelayStanding("test") }],
            Cancel);
        Assert.Equal(1, await place.Database.Ledger.PardonRelayAsync("test", 10, OnUncertain.Hold, clock.GetUtcNow(), Cancel));
        Note(dying, sending[1], new SendOutcome(SendResult.Rejected, "550 5.1.1 No such user") { Refusal = Refusal.Address });
        Note(dying, sending[2], new SendOutcome(SendResult.Rejected, "550 5.1.1 No such user") { Refusal = Refusal.Address }, "another");
        dying.Dispose();
        await place.Start().Engine.RecoverAsync(Cancel);

        var statuses = new List<SubscriberStatus>();
        foreach (var delivery in sending) statuses.Add((await place.Database.Subscribers.FindAsync(delivery.Recipient.Address, Cancel))!.Status);
        Assert.Equal([SubscriberStatus.Active, SubscriberStatus.Active, SubscriberStatus.Bounced], statuses);
    }

    [Fact]
    public async Task Notes_of_an_earlier_start_of_the_machine_or_of_another_program_say_nothing()
    {
        await using var place = EnginePlace.Open(time: clock);
        var dying = ProcessOwner.Take(place.DataFolder);
        var (mailing, sending) = await SendingAsync(place, dying.ForRun(1), 2);
        Note(dying, sending[0], new SendOutcome(SendResult.Accepted, "250 Ok"));
        dying.Dispose();
        var file = Path.Combine(place.DataFolder, "locks", dying.Name.Replace('/', '_'));
        await using (var notes = File.OpenWrite(file))
        {
            notes.Position = 20;
            notes.WriteByte((byte)'#');
        }
        await place.Start().Engine.RecoverAsync(Cancel);
        Assert.Equal(2, (await place.BalanceAsync(mailing)).Uncertain);
        Assert.False(File.Exists(file));
    }

    [Fact]
    public async Task A_process_that_worked_on_several_mailings_is_recovered_in_all_of_them()
    {
        await using var place = EnginePlace.Open(time: clock);
        var dying = ProcessOwner.Take(place.DataFolder);
        var first = await SendingAsync(place, dying.ForRun(1), 2);
        var second = await SendingAsync(place, dying.ForRun(2), 2, "week-2");
        foreach (var delivery in first.Sending.Concat(second.Sending)) Note(dying, delivery, new SendOutcome(SendResult.Accepted, "250 Ok"));
        dying.Dispose();
        await place.Start().Engine.RecoverAsync(Cancel);
        Assert.Equal((2L, 2L), ((await place.BalanceAsync(first.Mailing)).Sent, (await place.BalanceAsync(second.Mailing)).Sent));
    }

    [Fact]
    public async Task A_process_elsewhere_is_recovered_when_its_lease_is_over()
    {
        await using var place = EnginePlace.Open(time: clock);
        var mailing = await HoldAsync(place, "elsewhere/1/random/1");
        var engine = place.Start().Engine;
        Assert.Equal([new Sender("elsewhere", 1, 1, 5, clock.GetUtcNow().AddMinutes(1))], await engine.RecoverAsync(Cancel));
        Assert.Equal(5, (await place.BalanceAsync(mailing)).Claimed + (await place.BalanceAsync(mailing)).Sending);

        clock.Advance(TimeSpan.FromMinutes(1.1));
        Assert.Empty(await engine.RecoverAsync(Cancel));
        Assert.Equal((9L, 1L), ((await place.BalanceAsync(mailing)).Pending, (await place.BalanceAsync(mailing)).Uncertain));
    }

    [Fact]
    public async Task A_process_elsewhere_that_is_heard_of_again_before_its_rows_are_taken_back_keeps_them()
    {
        await using var place = EnginePlace.Open(time: clock);
        var mailing = await HoldAsync(place, "elsewhere/1/random/1");
        place.Around = ledger => StaleHolders.Over(ledger, () => ledger.RenewAsync(new Claimant("elsewhere/1/random/1", clock.GetUtcNow(), clock.GetUtcNow().AddMinutes(1)), Cancel));
        var engine = place.Start().Engine;
        clock.Advance(TimeSpan.FromMinutes(1.1));
        await engine.RecoverAsync(Cancel);
        Assert.Equal((4L, 1L), ((await place.BalanceAsync(mailing)).Claimed, (await place.BalanceAsync(mailing)).Sending));
    }

    // A database that was away was so to both: the other one has answers to record, and comes back within the same moments.
    [Fact]
    public async Task Who_has_just_begun_gives_a_process_elsewhere_a_lease_to_be_heard_of()
    {
        await using var place = EnginePlace.Open(time: clock);
        var mailing = await HoldAsync(place, "elsewhere/1/random/1");
        clock.Advance(TimeSpan.FromMinutes(10));
        var engine = place.Start().Engine;
        Assert.Single(await engine.RecoverAsync(Cancel));
        clock.Advance(TimeSpan.FromSeconds(50));
        Assert.Single(await engine.RecoverAsync(Cancel));
        Assert.Equal(0, (await place.BalanceAsync(mailing)).Uncertain);

        clock.Advance(TimeSpan.FromSeconds(15));
        Assert.Empty(await engine.RecoverAsync(Cancel));
        Assert.Equal(1, (await place.BalanceAsync(mailing)).Uncertain);
    }

    [Fact]
    public async Task A_living_process_is_left_alone_whatever_the_clock_says()
    {
        await using var place = EnginePlace.Open(time: clock);
        var other = place.Start();
        var mailing = await HoldAsync(place, other.Owner.ForRun(1));
        clock.Advance(TimeSpan.FromDays(1));
        await place.Start().Engine.RecoverAsync(Cancel);

        var balance = await place.BalanceAsync(mailing);
        Assert.Equal((4L, 1L), (balance.Claimed, balance.Sending));
    }

    [Fact]
    public async Task A_run_waits_for_rows_that_another_process_holds_and_takes_them_when_it_dies()
    {
        await using var place = EnginePlace.Open();
        var mailing = await HoldAsync(place, "here/1/dying/1");
        var trace = Path.Combine(place.DataFolder, "locks", "here_1_dying");
        Directory.CreateDirectory(Path.GetDirectoryName(trace)!);
        var held = new FileStream(trace, FileMode.Create, FileAccess.ReadWrite, FileShare.None);
        var running = place.Start().RunAsync(mailing);
        await place.Server.WaitForAcceptedAsync(5, Limit);
        Assert.False(running.IsCompleted);
        await held.DisposeAsync();

        var result = await running.WaitAsync(Limit, Cancel);
        Assert.Equal((MailingState.Sent, 9L, 1L), (result.State, result.Balance.Sent, result.Balance.Uncertain));
        Assert.Equal(9, place.Server.AcceptedCount);
    }

    [Fact]
    public async Task What_an_earlier_run_of_the_same_process_left_is_taken_back_first()
    {
        await using var place = EnginePlace.Open(time: clock);
        var process = place.Start();
        var mailing = await HoldAsync(place, process.Owner.ForRun(1));
        var result = await process.RunAsync(mailing);
        Assert.Equal((9L, 1L), (result.Balance.Sent, result.Balance.Uncertain));
    }

    /// <summary>A mailing whose recipients all are being sent to by an owner.</summary>
    private static async Task<(long Mailing, IReadOnlyList<Delivery> Sending)> SendingAsync(EnginePlace place, string owner, int count, string slug = "week-1")
    {
        var mailing = await place.PublishAsync(count, slug);
        var now = place.Time.GetUtcNow();
        var claimed = (await place.Database.Ledger.ClaimAsync(new ClaimRequest(mailing, count, new Claimant(owner, now, now.AddMinutes(1))), Cancel)).Deliveries;
        await place.Database.Ledger.WriteAsync([.. claimed.Select(delivery => DeliveryVerdicts.Begin(delivery, DeliveryState.Claimed, now))], Cancel);
        Assert.Equal(count, (await place.Database.Ledger.SendingAsync(owner, Cancel)).Count);
        return (mailing, claimed);
    }

    /// <summary>Notes on a connection of its own that the message left, and what the answer was; null: none has come. The note is not given back: its process dies.</summary>
    private static Handovers.Note Note(ProcessOwner owner, Delivery delivery, SendOutcome? answer, string relay = "test")
    {
        var note = owner.TakeNote();
        note.Take(delivery, relay, canWait: false);
        note.Leave();
        if (answer is not null) note.Answer(answer);
        return note;
    }

    private static async Task<Dictionary<long, DeliveryReport>> RowsAsync(EnginePlace place, long mailing)
        => (await place.DeliveriesAsync(mailing)).ToDictionary(row => row.SubscriberId);

    private static (DeliveryState, int, string?) Parts(DeliveryReport row) => (row.State, row.Attempts, row.Reply);

    /// <summary>Ten recipients; the owner has claimed five of them and begun one.</summary>
    private static async Task<long> HoldAsync(EnginePlace place, string owner)
    {
        var mailing = await place.PublishAsync(10);
        await place.Database.Mailings.ChangeStateAsync(mailing, [MailingState.Scheduled], MailingState.Sending, null, place.Time.GetUtcNow(), Cancel);
        var now = place.Time.GetUtcNow();
        var claimed = (await place.Database.Ledger.ClaimAsync(new ClaimRequest(mailing, 5, new Claimant(owner, now, now.AddMinutes(1))), Cancel)).Deliveries;
        Assert.Equal([LedgerWriteResult.Written], await place.Database.Ledger.WriteAsync([DeliveryVerdicts.Begin(claimed[0], DeliveryState.Claimed, now)], Cancel));
        return mailing;
    }
}
