using WeeklyDigest.Audience;

namespace WeeklyDigest.Tests.Storage;

public abstract class SubscriberSuite<TPlace> : StorageSuite<TPlace> where TPlace : IDatabasePlace, new()
{
    [Fact]
    public async Task An_import_adds_updates_and_leaves_alone()
    {
        var first = await Subscribers.ImportAsync(List("readers"), [Row("ann@example.org", "Ann", ("city", "Köln")), Row("ben@example.org", "Ben")], Cancel);
        var second = await Subscribers.ImportAsync(
            List("readers"), [Row("ann@example.org", "Ann B.", ("plan", "gold")), Row("ben@example.org", "Ben"), Row("cid@example.org")], Cancel);

        Assert.Equal(new ImportCounts(2, 0, 0, 0), first);
        Assert.Equal(new ImportCounts(1, 1, 1, 0), second);
        var ann = await Subscribers.FindAsync(Address("ann@example.org"), Cancel);
        Assert.Equal(("Ann B.", SubscriberStatus.Active, null), (ann!.Name, ann.Status, ann.Suppression));
        Assert.Equal(new Dictionary<string, string> { ["city"] = "Köln", ["plan"] = "gold" }, ann.Attributes);
        Assert.Equal(ann.Address, (await Subscribers.FindAsync(ann.Id, Cancel))!.Address);
    }

    [Fact]
    public async Task A_row_without_a_name_keeps_the_name_that_is_known()
    {
        await Subscribers.ImportAsync(List("readers"), [Row("ann@example.org", "Ann", ("city", "Köln"))], Cancel);
        Assert.Equal(new ImportCounts(0, 1, 0, 0), await Import("guests", "ann@example.org"));
        var ann = await Subscribers.FindAsync(Address("ann@example.org"), Cancel);
        Assert.Equal(("Ann", "Köln"), (ann!.Name, ann.Attributes["city"]));
        Assert.Equal(["guests", "readers"], ann.Lists.Select(list => list.Value));
    }

    [Fact]
    public async Task Duplicates_fold_by_the_case_of_the_domain_and_the_first_counts()
    {
        var counts = await Subscribers.ImportAsync(
            List("readers"), [Row("ann@example.org", "First"), Row("ann@EXAMPLE.org", "Second"), Row("Ann@example.org", "Third")], Cancel);
        Assert.Equal(new ImportCounts(2, 0, 1, 0), counts);
        Assert.Equal("First", (await Subscribers.FindAsync(Address("ann@example.org"), Cancel))!.Name);
    }

    [Fact]
    public async Task Who_unsubscribed_never_comes_back_by_import()
    {
        await Import("readers", "ann@example.org", "ben@example.org");
        Assert.True(await Subscribers.UnsubscribeAsync(Address("ann@EXAMPLE.org"), "link", Cancel));

        Assert.Equal(new ImportCounts(0, 0, 2, 1), await Import("readers", "ann@example.org", "ann@example.org", "ben@example.org"));
        Assert.Equal(new ImportCounts(0, 0, 0, 1), await Import("guests", "ann@example.org"));

        var ann = await Subscribers.FindAsync(Address("ann@example.org"), Cancel);
        Assert.Equal(SubscriberStatus.Unsubscribed, ann!.Status);
        Assert.Equal(new Suppression("unsubscribed", "link", Now), ann.Suppression);
        Assert.Equal(["readers"], ann.Lists.Select(list => list.Value));
    }

    [Fact]
    public async Task Who_is_no_subscriber_can_be_kept_out_before_a_file_brings_the_address()
    {
        Assert.False(await Subscribers.UnsubscribeAsync(Address("ann@EXAMPLE.org"), "command", Cancel));
        Assert.False(await Subscribers.UnsubscribeAsync(Address("ann@example.org"), "link", Cancel));
        Assert.Equal(new Suppression("unsubscribed", "command", Now), await Subscribers.FindSuppressionAsync(Address("ann@example.org"), Cancel));

        Assert.Equal(new ImportCounts(1, 0, 0, 1), await Import("readers", "ann@example.org", "ben@example.org"));
        Assert.Null(await Subscribers.FindAsync(Address("ann@example.org"), Cancel));
        Assert.Equal(1, (await Publish()).Added);
    }

    [Fact]
    public async Task Unsubscribing_twice_keeps_the_first_reason()
    {
        await Import("readers", "ann@example.org");
        var then = Now;
        var id = (await Subscribers.FindAsync(Address("ann@example.org"), Cancel))!.Id;
        Assert.True(await Subscribers.UnsubscribeAsync(id, "link", Cancel));
        Clock.Advance(TimeSpan.FromDays(1));
        Assert.True(await Subscribers.UnsubscribeAsync(id, "command", Cancel));
        Assert.Equal(new Suppression("unsubscribed", "link", then), await Subscribers.FindSuppressionAsync(Address("ann@example.org"), Cancel));

        Assert.False(await Subscribers.UnsubscribeAsync(id + 1, "link", Cancel));
    }

    [Fact]
    public async Task One_address_is_added_and_refused_with_the_reason_when_it_left()
    {
        var none = new Dictionary<string, string>();
        var added = await Subscribers.AddAsync(List("readers"), Address("ann@example.org"), "Ann", none, Cancel);
        Assert.Equal((AddOutcome.Added, "Ann", null), (added.Outcome, added.Subscriber!.Name, added.Suppression));
        Assert.Equal(AddOutcome.Unchanged, (await Subscribers.AddAsync(List("readers"), Address("ann@example.org"), null, none, Cancel)).Outcome);
        Assert.Equal(AddOutcome.Updated, (await Subscribers.AddAsync(List("guests"), Address("ann@example.org"), null, none, Cancel)).Outcome);

        await Subscribers.UnsubscribeAsync(Address("ann@example.org"), "link", Cancel);
        var refused = await Subscribers.AddAsync(List("new"), Address("ann@example.org"), "Eve", none, Cancel);

        Assert.Equal((AddOutcome.KeptOut, "unsubscribed", "Ann"), (refused.Outcome, refused.Suppression!.Reason, refused.Subscriber!.Name));
        Assert.Equal(["guests", "readers"], (await Subscribers.ListsAsync(Cancel)).Select(list => list.Name.Value));
    }

    [Fact]
    public async Task A_failing_file_leaves_nothing_behind()
    {
        static IEnumerable<SubscriberRow> Rows()
        {
            yield return Row("ann@example.org");
            throw new FormatException("line 2");
        }
        await Assert.ThrowsAsync<FormatException>(() => Subscribers.ImportAsync(List("readers"), Rows(), Cancel));
        Assert.Empty(await Subscribers.ListsAsync(Cancel));
        Assert.Null(await Subscribers.FindAsync(Address("ann@example.org"), Cancel));
        Assert.Equal(1, (await Import("readers", "ann@example.org")).Added);
    }

    [Fact]
    public async Task A_cancelled_import_leaves_nothing_behind()
    {
        using var stop = new CancellationTokenSource();
        IEnumerable<SubscriberRow> Rows()
        {
            for (var i = 0; ; i++)
            {
                if (i == 10) stop.Cancel();
                yield return Row($"reader{i}@example.org");
            }
        }
        await Assert.ThrowsAsync<OperationCanceledException>(() => Subscribers.ImportAsync(List("readers"), Rows(), stop.Token));
        Assert.Empty(await Subscribers.ListsAsync(Cancel));
    }

    [Fact]
    public async Task Lists_count_their_active_members()
    {
        await Import("readers", "ann@example.org", "ben@example.org");
        await Import("guests");
        await Subscribers.UnsubscribeAsync(Address("ben@example.org"), "link", Cancel);
        Assert.Equal(
            [new ListSummary(List("guests"), 0, 0), new ListSummary(List("readers"), 1, 2)],
            await Subscribers.ListsAsync(Cancel));
    }

    [Fact]
    public async Task An_export_streams_everybody_or_one_list()
    {
        await Import("readers", Enumerable.Range(1, 2300).Select(i => $"reader{i}@example.org"));
        await Import("guests", "reader7@example.org", "guest@example.org");
        var all = await Subscribers.ExportAsync(null, _ => { }, Cancel).Select(subscriber => subscriber.Address.Value).ToListAsync(Cancel);
        Assert.Equal([.. Enumerable.Range(1, 2300).Select(i => $"reader{i}@example.org"), "guest@example.org"], all);
        var guests = await Subscribers.ExportAsync(List("guests"), _ => { }, Cancel).Select(subscriber => subscriber.Address.Value).ToListAsync(Cancel);
        Assert.Equal(["reader7@example.org", "guest@example.org"], guests);
    }

    [Fact]
    public async Task What_is_no_address_any_more_is_passed_over_by_name_and_can_be_unsubscribed()
    {
        await Import("readers", "ann@example.org", "ben@example.org", "cid@example.org");
        Place.Execute("UPDATE subscriber SET address = 'ben@exam ple.org' WHERE address = 'ben@example.org'");
        Assert.Equal([new UnreadableSubscriber("ben@exam ple.org", "it holds a space", SubscriberStatus.Active)], await PassedOver());

        Assert.False(await Subscribers.UnsubscribeStoredAsync("ben@exam", "command", Cancel));
        Assert.True(await Subscribers.UnsubscribeStoredAsync("ben@exam ple.org", "command", Cancel));
        Assert.Equal([SubscriberStatus.Unsubscribed], (await PassedOver()).Select(row => row.Status));

        async Task<List<UnreadableSubscriber>> PassedOver()
        {
            var passedOver = new List<UnreadableSubscriber>();
            Assert.Equal(["ann@example.org", "cid@example.org"],
                await Subscribers.ExportAsync(List("readers"), passedOver.Add, Cancel).Select(subscriber => subscriber.Address.Value).ToListAsync(Cancel));
            return passedOver;
        }
    }

    [Fact]
    public async Task Who_is_taken_off_a_list_stays_on_the_others_and_on_it_when_there_is_none()
    {
        await Import("readers", "ann@example.org", "ben@example.org", "cid@example.org");
        await Import("guests", "ann@example.org", "cid@example.org");
        var ids = await Subscribers.ExportAsync(null, _ => { }, Cancel).Take(2).Select(subscriber => subscriber.Id).ToListAsync(Cancel);
        await Subscribers.EndMembershipsAsync(List("readers"), ids, Cancel);
        Assert.Equal(["guests", "readers", "guests readers"],
            await Subscribers.ExportAsync(null, _ => { }, Cancel).Select(subscriber => string.Join(' ', subscriber.Lists)).ToListAsync(Cancel));
    }

    [Fact]
    public async Task A_list_file_is_known_by_the_hash_imported_last()
    {
        Assert.False(await Subscribers.WasImportedAsync(List("readers"), "a", Cancel));
        await Subscribers.MarkImportedAsync(List("readers"), "a", Cancel);
        Assert.True(await Subscribers.WasImportedAsync(List("readers"), "a", Cancel));
        await Subscribers.MarkImportedAsync(List("readers"), "b", Cancel);
        Assert.False(await Subscribers.WasImportedAsync(List("readers"), "a", Cancel));
    }

    [Theory]
    [InlineData("ALTER TABLE list RENAME TO other")]
    [InlineData("ALTER TABLE list RENAME COLUMN name TO other")]
    public async Task A_statement_that_finds_a_table_or_column_gone_says_that_a_backup_is_needed(string damage)
    {
        Place.Execute(damage);
        var refusal = await Assert.ThrowsAsync<StorageException>(() => Import("readers", "ada@example.org"));
        Assert.Matches(@"^The database .+ has lost what belongs to its schema \([^)]*\b(list|name)\b[^)]*\)\. Stop every server and put a backup back\.$", refusal.Message);
        Assert.True(refusal.IsLasting);
    }
}
