using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Storage;

public abstract class MailingSuite<TPlace> : StorageSuite<TPlace> where TPlace : IDatabasePlace, new()
{
    [Fact]
    public async Task Publishing_makes_one_pending_delivery_per_active_member()
    {
        await Import("readers", "ann@example.org", "ben@example.org", "cid@example.org");
        await Subscribers.UnsubscribeAsync(Address("cid@example.org"), "link", Cancel);

        var result = await Publish();

        Assert.Equal((true, 2, false), (result.Created, result.Added, result.ContentIsFrozen));
        Assert.Equal(2, (await Balance(result.MailingId)).Pending);
        var mailing = await Mailings.FindAsync(Slug("week-1"), Cancel);
        Assert.Equal(new Mailing(result.MailingId, Slug("week-1"), MailingState.Sending, null, mailing!.Lists, "h1", Now, null, null, null) { IssueHash = "file of h1" }, mailing);
        Assert.Equal(["readers"], mailing.Lists.Select(list => list.Value));
    }

    [Fact]
    public async Task A_second_publishing_adds_nothing_even_when_the_list_has_grown()
    {
        var mailing = await Published(3);
        await Import("readers", "late@example.org");
        Assert.Equal(new PublishResult(mailing, false, 0, false), await Publish());
        Assert.Equal(3, (await Balance(mailing)).Total);
    }

    [Fact]
    public async Task A_further_list_adds_its_members_once_and_reopens_the_mailing()
    {
        await Import("readers", "ann@example.org", "ben@example.org");
        await Import("guests", "ben@example.org", "cid@example.org");
        var mailing = (await Publish()).MailingId;
        foreach (var row in await Claim(mailing))
        {
            await Write(row, DeliveryState.Claimed, DeliveryState.Sending);
            await Write(row, DeliveryState.Sending, DeliveryState.Sent);
        }
        Assert.True(await Mailings.ChangeStateAsync(mailing, [MailingState.Sending], MailingState.Sent, null, Now, Cancel));

        Assert.Equal(1, (await Publish("week-1", "guests")).Added);

        var reopened = await Mailings.FindAsync(mailing, Cancel);
        Assert.Equal((MailingState.Sending, null), (reopened!.State, reopened.FinishedAt));
        Assert.Equal(["guests", "readers"], reopened.Lists.Select(list => list.Value));
        Assert.Equal((2, 1), ((await Balance(mailing)).Sent, (await Balance(mailing)).Pending));
    }

    [Fact]
    public async Task Members_of_two_lists_get_one_delivery()
    {
        await Import("readers", "ann@example.org", "ben@example.org");
        await Import("guests", "ben@example.org", "cid@example.org");
        Assert.Equal(3, (await Publish("week-1", "readers", "guests")).Added);
    }

    [Fact]
    public async Task A_cancelled_mailing_is_not_extended()
    {
        await Import("guests", "zoe@example.org");
        var mailing = await Published(1);
        await Mailings.ChangeStateAsync(mailing, [MailingState.Sending], MailingState.Cancelled, null, Now, Cancel);
        Assert.Equal(0, (await Publish("week-1", "guests")).Added);
        Assert.Equal(MailingState.Cancelled, (await Mailings.FindAsync(mailing, Cancel))!.State);
    }

    [Fact]
    public async Task An_unknown_list_publishes_nothing()
    {
        await Import("readers", "ann@example.org");
        var refusal = await Assert.ThrowsAsync<StorageException>(() => Publish("week-1", "readers", "nobody"));
        Assert.Equal("There is no list 'nobody'; nothing was published.", refusal.Message);
        Assert.Empty(await Mailings.ListAsync(Cancel));
    }

    [Fact]
    public async Task The_content_stays_as_it_was_published()
    {
        var mailing = await Published(1);
        var again = await Mailings.PublishAsync(new PublishRequest(Slug("week-1"), [List("readers")], Content("h2"), null, Now), Cancel);
        Assert.True(again.ContentIsFrozen);

        var frozen = await Mailings.ContentAsync(mailing, Cancel);

        var expected = Content();
        Assert.Equal(expected.Email.Html.Parts, frozen.Email.Html.Parts);
        Assert.Equal(expected.Email.Hash, frozen.Email.Hash);
        Assert.Equal(expected with { Email = frozen.Email }, frozen);
        Assert.Equal("h1", (await Mailings.FindAsync(mailing, Cancel))!.ContentHash);
        await Assert.ThrowsAsync<StorageException>(() => Mailings.ContentAsync(99, Cancel));
    }

    [Fact]
    public async Task A_permalink_leads_to_the_mailing_once_it_has_begun()
    {
        await Import("readers", "ann@example.org");
        var request = new PublishRequest(Slug("week-1"), [List("readers")], Content(), Now.AddHours(1), Now);
        var mailing = (await Mailings.PublishAsync(request, Cancel)).MailingId;
        Assert.Null(await Mailings.FindByPermalinkAsync("/posts/week-1", Cancel));

        await Mailings.ChangeStateAsync(mailing, [MailingState.Scheduled], MailingState.Paused, null, Now, Cancel);
        Assert.Null(await Mailings.FindByPermalinkAsync("/posts/week-1", Cancel));

        await Mailings.ChangeStateAsync(mailing, [MailingState.Paused], MailingState.Sending, null, Now.AddHours(1), Cancel);

        Assert.Equal(mailing, (await Mailings.FindByPermalinkAsync("/posts/week-1", Cancel))!.Value.Mailing.Id);
        Assert.Null(await Mailings.FindByPermalinkAsync("/posts/week-2", Cancel));
    }

    [Fact]
    public async Task A_state_changes_only_from_the_states_named()
    {
        var mailing = await Published(1);
        Assert.False(await Mailings.ChangeStateAsync(mailing, [MailingState.Paused], MailingState.Sending, null, Now, Cancel));
        Assert.True(await Mailings.ChangeStateAsync(mailing, [MailingState.Sending, MailingState.Paused], MailingState.Paused, "relay down", Now, Cancel));
        var paused = await Mailings.FindAsync(mailing, Cancel);
        Assert.Equal((MailingState.Paused, "relay down", null), (paused!.State, paused.StateReason, paused.FinishedAt));
        Assert.True(await Mailings.ChangeStateAsync(mailing, [MailingState.Paused], MailingState.Cancelled, null, Now, Cancel));
        Assert.Equal(Now, (await Mailings.FindAsync(mailing, Cancel))!.FinishedAt);
    }

    [Theory]
    [InlineData(DeliveryState.Pending)]
    [InlineData(DeliveryState.Claimed)]
    [InlineData(DeliveryState.Sending)]
    [InlineData(DeliveryState.Deferred)]
    public async Task A_mailing_with_an_open_delivery_cannot_be_marked_sent(DeliveryState open)
    {
        var mailing = await Published(1);
        var row = open == DeliveryState.Pending ? null : (await Claim(mailing)).Single();
        if (open is DeliveryState.Sending or DeliveryState.Deferred) await Write(row!, DeliveryState.Claimed, DeliveryState.Sending);
        if (open is DeliveryState.Deferred) await Write(row!, DeliveryState.Sending, DeliveryState.Deferred, next: Now.AddMinutes(5));
        Assert.False(await Mailings.ChangeStateAsync(mailing, [MailingState.Sending], MailingState.Sent, null, Now, Cancel));
    }

    [Fact]
    public async Task Due_are_scheduled_ones_whose_time_has_come_and_sending_ones_with_work_or_without_an_end()
    {
        await Import("readers", "ann@example.org");
        var scheduled = (await Mailings.PublishAsync(new PublishRequest(Slug("later"), [List("readers")], Content(), Now.AddHours(1), Now), Cancel)).MailingId;
        var sending = (await Publish("now")).MailingId;
        Assert.Equal([sending], await Mailings.DueAsync(Now, Cancel));

        var row = (await Claim(sending)).Single();
        Assert.Empty(await Mailings.DueAsync(Now, Cancel));
        await Write(row, DeliveryState.Claimed, DeliveryState.Sending);
        await Write(row, DeliveryState.Sending, DeliveryState.Deferred, next: Now.AddMinutes(5));
        Assert.Empty(await Mailings.DueAsync(Now, Cancel));
        Assert.Equal([sending], await Mailings.DueAsync(Now.AddMinutes(5), Cancel));
        Assert.Equal([scheduled, sending], await Mailings.DueAsync(Now.AddHours(1), Cancel));

        Clock.Advance(TimeSpan.FromMinutes(5));
        row = (await Claim(sending)).Single();
        await Write(row, DeliveryState.Claimed, DeliveryState.Sending);
        await Write(row, DeliveryState.Sending, DeliveryState.Sent);
        Assert.Equal([sending], await Mailings.DueAsync(Now, Cancel));
        await Mailings.ChangeStateAsync(sending, [MailingState.Sending], MailingState.Sent, null, Now, Cancel);
        Assert.Empty(await Mailings.DueAsync(Now, Cancel));
    }

    [Fact]
    public async Task Mailings_are_listed_newest_first()
    {
        await Import("readers", "ann@example.org");
        foreach (var issue in (string[])["week-1", "week-2", "Week-2"]) await Publish(issue);
        Assert.Equal(["Week-2", "week-2", "week-1"], (await Mailings.ListAsync(Cancel)).Select(mailing => mailing.Issue.Value));
    }

    [Fact]
    public async Task Deliveries_come_in_the_order_of_their_ids_over_several_pages()
    {
        var mailing = await Published(2500);
        await Claim(mailing, 1200);
        var all = await Mailings.DeliveriesAsync(mailing, null, Cancel).ToListAsync(Cancel);
        Assert.Equal(Enumerable.Range(1, 2500).Select(i => $"reader{i}@example.org"), all.Select(report => report.Address));
        Assert.Equal(1200, await Mailings.DeliveriesAsync(mailing, DeliveryState.Claimed, Cancel).CountAsync(Cancel));
        Assert.Equal(0, await Mailings.DeliveriesAsync(mailing, DeliveryState.Failed, Cancel).CountAsync(Cancel));
    }

    [Fact]
    public async Task Those_who_left_through_the_issues_link_are_counted_among_the_sent()
    {
        var mailing = await Published(2);
        var rows = await Claim(mailing);
        foreach (var row in rows) await Mailings.NoteUnsubscribedAsync(row.Id, Now, Cancel);
        await Write(rows[0], DeliveryState.Claimed, DeliveryState.Sending);
        await Write(rows[0], DeliveryState.Sending, DeliveryState.Sent);
        Assert.Equal(1, (await Balance(mailing)).Unsubscribed);
    }

    [Fact]
    public async Task A_secret_is_made_once()
    {
        Assert.Equal([1, 2, 3], await Mailings.SecretAsync("links", () => [1, 2, 3], Cancel));
        Assert.Equal([1, 2, 3], await Mailings.SecretAsync("links", () => [4], Cancel));
        using var other = Open();
        Assert.Equal([1, 2, 3], await other.Mailings.SecretAsync("links", () => [5], Cancel));
        Assert.False(await Mailings.HasSecretAsync("other", Cancel));
        Assert.Equal([6], await other.Mailings.SecretAsync("other", () => [6], Cancel));
        Assert.True(await Mailings.HasSecretAsync("other", Cancel));
    }
}
