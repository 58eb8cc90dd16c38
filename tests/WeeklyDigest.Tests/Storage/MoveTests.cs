using Npgsql;
using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Smtp;
using WeeklyDigest.Storage;
using WeeklyDigest.Storage.Moving;
using WeeklyDigest.Storage.Sqlite;
using WeeklyDigest.Tests.Databases;

namespace WeeklyDigest.Tests.Storage;

/// <summary>A SQLite installation with something in every table, carried over.</summary>
public sealed class MoveTests : StorageSuite<SqlitePlace>
{
    private readonly string target = SharedPostgres.NewDatabase();

    private long gone;

    private string TargetName => new NpgsqlConnectionStringBuilder(target).Database!;

    public override void Dispose()
    {
        base.Dispose();
        SharedPostgres.Server.Drop(target);
    }

    [Fact]
    public async Task Everything_is_there_and_goes_on_where_it_was()
    {
        var mailing = await FillAsync();
        var before = await DescribeAsync(Database, mailing);

        var report = await MoveAsync();

        using var moved = Database.Open(SharedPostgres.Options(target), Clock);
        Assert.Equal(before, await DescribeAsync(moved, mailing));
        Assert.Equal([1, 2, 3], await moved.Mailings.SecretAsync("links", () => [9], Cancel));
        Assert.Equal(new Dictionary<string, long> { ["deferred"] = 1, ["failed"] = 1, ["pending"] = 3, ["sent"] = 1, ["uncertain"] = 1 }, report.States);
        Assert.False(report.WasMovedBefore);
        Assert.Contains(report.Tables, table => table is { Name: "delivery", Rows: 7 });
        // Numbers go on, also past those of rows that are gone.
        var added = await moved.Subscribers.AddAsync(List("readers"), Address("new@example.org"), null, new Dictionary<string, string>(), Cancel);
        Assert.Equal(gone + 1, added.Subscriber!.Id);
        Assert.Equal(3, (await moved.Ledger.ClaimAsync(new ClaimRequest(mailing, 10, Claimant("two")), Cancel)).Deliveries.Count);
    }

    [Fact]
    public async Task Every_table_is_carried_over()
    {
        await FillAsync();
        var report = await MoveAsync();
        var tables = SharedPostgres.Server.Scalar<string>("SELECT string_agg(tablename, ',' ORDER BY tablename) FROM pg_tables WHERE schemaname = 'weeklydigest' AND tablename <> 'schema_version'", TargetName);
        Assert.Equal(tables.Split(','), report.Tables.Select(table => table.Name).Order(StringComparer.Ordinal));
        Assert.Empty(report.Tables.Where(table => table.Rows == 0).Select(table => table.Name));
    }

    [Fact]
    public async Task Nothing_is_sent_from_the_file_any_more()
    {
        var mailing = await FillAsync();
        await MoveAsync();

        var refusal = Assert.Throws<StorageException>(() => Open().Dispose());
        Assert.Equal(
            $"The database {Place.File} was moved to the database {TargetName} on 127.0.0.1:{SharedPostgres.Server.Port}. "
            + "Set Storage:Provider to postgres and Storage:ConnectionString to that server; nothing is sent from this file any more.",
            refusal.Message);
        // Who had it open already gets nothing out of it either.
        var late = await Assert.ThrowsAsync<StorageException>(() => Claim(mailing));
        Assert.Equal(refusal.Message, late.Message);
        await Assert.ThrowsAsync<StorageException>(() => Subscribers.UnsubscribeAsync(1, "link", Cancel));
    }

    [Fact]
    public async Task A_target_with_another_installation_is_refused_and_both_stay_as_they_are()
    {
        var mailing = await FillAsync();
        using (var other = Database.Open(SharedPostgres.Options(target), Clock))
        {
            await other.Subscribers.ImportAsync(List("others"), [Row("zoe@example.org")], Cancel);
            var refusal = await Assert.ThrowsAsync<StorageException>(MoveAsync);
            Assert.StartsWith($"There is another installation in the database {TargetName} on ", refusal.Message, StringComparison.Ordinal);
            Assert.EndsWith("Give an empty database; or, if nothing in that one is wanted, run DROP SCHEMA weeklydigest CASCADE there. Nothing was moved.", refusal.Message, StringComparison.Ordinal);
            Assert.Equal(["others"], (await other.Subscribers.ListsAsync(Cancel)).Select(list => list.Name.Value));
        }
        Assert.Equal(3, (await Claim(mailing)).Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_move_that_was_cut_off_beside_its_commit_leaves_the_file_closed_and_is_finished_by_the_next(bool committed)
    {
        await FillAsync();
        var first = await MoveAsync();
        Place.Execute("UPDATE schema_version SET ScriptName = replace(ScriptName, 'moved to', 'being moved to')");
        if (!committed) SharedPostgres.Server.Execute("DROP SCHEMA weeklydigest CASCADE", TargetName);

        var refusal = Assert.Throws<StorageException>(() => Open().Dispose());
        Assert.Equal(
            $"The database {Place.File} is being moved to the database {TargetName} on 127.0.0.1:{SharedPostgres.Server.Port}. "
            + "Wait until that is done; if it was cut off, run the same weeklydigest move again: it finds out how far it came, and finishes.",
            refusal.Message);
        var report = await MoveAsync();
        Assert.Equal(committed, report.WasMovedBefore);
        Assert.Equal(first.Tables, report.Tables);
        Assert.Contains(" was moved to ", Assert.Throws<StorageException>(() => Open().Dispose()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_refuses_the_commit_leaves_the_file_as_it_was()
    {
        var mailing = await FillAsync();
        using (Database.Open(SharedPostgres.Options(target), Clock))
        {
        }
        SharedPostgres.Server.Execute(
            """
            CREATE FUNCTION weeklydigest.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not today'; END $$;
            CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON weeklydigest.mailing DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION weeklydigest.refuse()
            """,
            TargetName);
        var refusal = await Assert.ThrowsAsync<StorageException>(MoveAsync);
        Assert.Contains("not today", refusal.Message, StringComparison.Ordinal);
        Open().Dispose();
        Assert.Equal(3, (await Claim(mailing)).Count);
        await Subscribers.UnsubscribeAsync(1, "link", Cancel);
    }

    [Fact]
    public async Task A_target_that_was_only_looked_at_is_taken_for_empty()
    {
        await FillAsync();
        using (var looked = Database.Open(SharedPostgres.Options(target), Clock))
        {
            await looked.Mailings.SecretAsync("links", () => [9], Cancel);
            await looked.Schedules.AdoptAsync("0 9 * * 1", "UTC", Now, Cancel);
        }
        await MoveAsync();
        using var moved = Database.Open(SharedPostgres.Options(target), Clock);
        Assert.Equal([1, 2, 3], await moved.Mailings.SecretAsync("links", () => [9], Cancel));
        Assert.Equal("Europe/Berlin", (await moved.Schedules.FindAsync(Cancel))!.TimeZone);
    }

    [Fact]
    public async Task A_text_that_the_server_cannot_keep_is_named_and_nothing_is_moved()
    {
        await FillAsync();
        Place.Execute("UPDATE subscriber SET name = 'An' || char(0) || 'n' WHERE id = 1");
        var refusal = await Assert.ThrowsAsync<StorageException>(MoveAsync);
        Assert.Equal("A text in subscriber.name holds a NUL character, which PostgreSQL cannot keep ('An␀n'). Correct it; nothing was moved.", refusal.Message);
        Assert.Equal(0, SharedPostgres.Server.Scalar<long>("SELECT count(*) FROM weeklydigest.list", TargetName));
        Open().Dispose();
    }

    [Fact]
    public async Task A_move_that_is_stopped_leaves_both_sides_as_they_were()
    {
        await FillAsync();
        using var stop = new CancellationTokenSource();
        var stopping = new Called(value => { if (value.Table == "delivery") stop.Cancel(); });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => DatabaseMove.RunAsync(Place.Options, SharedPostgres.Options(target), PostgresJobs.Tables, stopping, stop.Token));
        Assert.Equal(0, SharedPostgres.Server.Scalar<long>("SELECT count(*) FROM weeklydigest.subscriber", TargetName));
        Open().Dispose();
    }

    [Fact]
    public async Task Progress_counts_every_row_once_for_writing_and_once_for_reading_back()
    {
        await FillAsync();
        var last = new MoveProgress("", false, 0, 1);
        var report = await DatabaseMove.RunAsync(Place.Options, SharedPostgres.Options(target), PostgresJobs.Tables, new Called(value => last = value), Cancel);
        Assert.Equal((2 * report.Tables.Sum(table => table.Rows), last.Total), (last.Done, last.Done));
    }

    [Fact]
    public async Task A_file_that_is_slow_to_read_is_moved_all_the_same()
    {
        await FillAsync();
        var reports = 0;
        var hurried = target + ";Options=-c idle_in_transaction_session_timeout=300";
        await DatabaseMove.RunAsync(Place.Options, SharedPostgres.Options(hurried), PostgresJobs.Tables, new Called(_ => { if (++reports == 1) StandStill(); }), Cancel);

        void StandStill() => SharedPostgres.Server.Execute("SELECT pg_sleep(0.6)", TargetName);
    }

    [Fact]
    public async Task Domains_that_come_after_the_move_have_numbers_of_their_own()
    {
        await FillAsync();
        await MoveAsync();
        using var moved = Database.Open(SharedPostgres.Options(target), Clock);
        var added = await moved.Subscribers.AddAsync(List("readers"), Address("new@new.example"), null, new Dictionary<string, string>(), Cancel);
        Assert.Equal(AddOutcome.Added, added.Outcome);
        Assert.Equal(1, (await moved.Subscribers.ImportAsync(List("readers"), [Row("new@another.example")], Cancel)).Added);
        Assert.Equal((await Database.Subscribers.ExportAsync(null, _ => { }, Cancel).CountAsync(Cancel)) + 2, await moved.Subscribers.ExportAsync(null, _ => { }, Cancel).Select(row => row.Id).Distinct().CountAsync(Cancel));
    }

    [Fact]
    public async Task Of_two_moves_to_different_databases_the_second_is_refused_although_it_began_before_the_first_had_ended()
    {
        await FillAsync();
        var other = SharedPostgres.Server.CreateDatabase();
        try
        {
            Task<MoveReport> second;
            using (var first = SqliteFile.Prepare(Place.File).OpenWriter())
            {
                SqliteFile.Execute(first, "BEGIN IMMEDIATE");
                second = Task.Run(() => DatabaseMove.RunAsync(Place.Options, SharedPostgres.Options(other), PostgresJobs.Tables, new Called(_ => { }), Cancel), Cancel);
                // It has looked at the file by then, and waits for it, or is about to.
                var name = new NpgsqlConnectionStringBuilder(other).Database!;
                await Eventually.HoldsAsync(() => SharedPostgres.Server.Scalar<bool>("SELECT to_regclass('weeklydigest.schema_version') IS NOT NULL", name), "the second move has made its tables");
                SqliteFile.Execute(first, "INSERT INTO schema_version (ScriptName, Applied) VALUES ('moved to the database x on y', datetime('now')); COMMIT");
            }
            var refusal = await Assert.ThrowsAsync<StorageException>(() => second);
            Assert.Contains(" was moved to the database x on y.", refusal.Message, StringComparison.Ordinal);
        }
        finally
        {
            SharedPostgres.Server.Drop(other);
        }
    }

    [Fact]
    public async Task A_server_that_works_with_the_target_already_is_refused_as_it_has_a_key_for_links_of_its_own()
    {
        await FillAsync();
        using (var running = Database.Open(SharedPostgres.Options(target), Clock))
        {
            await running.Mailings.SecretAsync("links", () => [9], Cancel);
            var refusal = await Assert.ThrowsAsync<StorageException>(MoveAsync);
            Assert.Equal(
                $"A weeklydigest works with the database {TargetName} on 127.0.0.1:{SharedPostgres.Server.Port} (from 127.0.0.1). Its links would lead nowhere afterwards. Stop it, then move; nothing was moved.",
                refusal.Message);
            Assert.Equal([9], await running.Mailings.SecretAsync("links", () => [8], Cancel));
        }
        Open().Dispose();
        await MoveAsync();
    }

    private Task<MoveReport> MoveAsync() => DatabaseMove.RunAsync(Place.Options, SharedPostgres.Options(target), PostgresJobs.Tables, new Called(_ => { }), Cancel);

    /// <summary>Something in every table: subscribers with every kind of text, one who left, one of whom only the number is left, deliveries in many states.</summary>
    private async Task<long> FillAsync()
    {
        await Subscribers.ImportAsync(
            List("readers"),
            [Row("ann@example.org", "Ann \"日本\" \U0001F600", ("city", "Köln\u0000!"), ("plan", "{}")), .. Enumerable.Range(2, 7).Select(i => Row($"reader{i}@bücher.example"))],
            Cancel);
        await Import("guests", "ann@example.org", "gone@example.org");
        await Subscribers.MarkImportedAsync(List("readers"), "abc", Cancel);
        await Subscribers.UnsubscribeAsync(8, "link", Cancel);
        gone = (await Subscribers.FindAsync(Address("gone@example.org"), Cancel))!.Id;
        Place.Execute($"DELETE FROM membership WHERE subscriber_id = {gone}");
        Place.Execute($"DELETE FROM subscriber WHERE id = {gone}");
        await Mailings.SecretAsync("links", () => [1, 2, 3], Cancel);
        var mailing = (await Publish("week-1", "readers", "guests")).MailingId;
        var rows = await Claim(mailing, 4);
        foreach (var row in rows) await Write(row, DeliveryState.Claimed, DeliveryState.Sending);
        await Write(rows[0], DeliveryState.Sending, DeliveryState.Sent, counted: true, reply: "250 2.0.0 ok");
        await Write(rows[1], DeliveryState.Sending, DeliveryState.Failed, counted: true, reply: "550 no");
        await Write(rows[2], DeliveryState.Sending, DeliveryState.Deferred, counted: true, reply: "450 später", next: Now.AddMinutes(5));
        await Write(rows[3], DeliveryState.Sending, DeliveryState.Uncertain, counted: true);
        var schedule = await Database.Schedules.AdoptAsync("0 9 * * 1", "Europe/Berlin", Now, Cancel);
        await Database.Schedules.AddAsync(new Occurrence(Now.AddHours(1), OccurrenceState.Due, null, null), schedule, Cancel);
        await Database.Relays.DrawAsync("one", new RelayRates(1, 0, 0), 1, Cancel);
        await Ledger.NoteSentAsync(new SentNote($"web-1/17/abcdef/{mailing}", 1, Now, Now), Cancel);
        await Database.Relays.NoteAsideAsync(new RelayAside("two", RelayAsideKind.Again, "It refused our login.", Now), Cancel);
        Place.Execute($"INSERT INTO relay_doubt VALUES ('two', {mailing}, 2, 1, 5, 0)");
        Place.Execute($"INSERT INTO alarm VALUES ({mailing}, 2, 3, 1, '550 5.7.1 no', 0, 5, NULL)");
        await Mailings.NoteUnsubscribedAsync(rows[0].Id, Now, Cancel);
        return mailing;
    }

    private static async Task<string> DescribeAsync(Database database, long mailing)
    {
        var subscribers = await database.Subscribers.ExportAsync(null, _ => { }, Cancel).Select(Describe).ToListAsync(Cancel);
        var deliveries = await database.Mailings.DeliveriesAsync(mailing, null, Cancel).Select(row => row.ToString()).ToListAsync(Cancel);
        var found = await database.Mailings.FindAsync(mailing, Cancel);
        var content = await database.Mailings.ContentAsync(mailing, Cancel);
        return string.Join('\n', [
            .. subscribers, .. deliveries, $"{found! with { Lists = [] }} {string.Join(' ', found!.Lists)}", content.Email.Html.Parts.Count.ToString(System.Globalization.CultureInfo.InvariantCulture),
            (await database.Mailings.BalanceAsync(mailing, Cancel)).ToString(), string.Join(' ', await database.Subscribers.ListsAsync(Cancel)),
            (await database.Subscribers.WasImportedAsync(List("readers"), "abc", Cancel)).ToString(), string.Join(' ', await database.Relays.AsideAsync(Cancel))]);
    }

    private static string Describe(Subscriber subscriber)
        => $"{subscriber with { Lists = [], Attributes = new Dictionary<string, string>() }} {string.Join(' ', subscriber.Lists)} {string.Join(' ', subscriber.Attributes)}";

    private sealed class Called(Action<MoveProgress> call) : IProgress<MoveProgress>
    {
        public void Report(MoveProgress value) => call(value);
    }
}
