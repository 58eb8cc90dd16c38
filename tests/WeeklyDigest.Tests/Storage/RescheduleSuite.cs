using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Storage;

public abstract class RescheduleSuite<TPlace> : StorageSuite<TPlace> where TPlace : IDatabasePlace, new()
{
    private DateTimeOffset Old => Now.AddHours(1);

    private DateTimeOffset New => Now.AddHours(3);

    [Theory]
    [InlineData(MailingState.Scheduled)]
    [InlineData(MailingState.Paused)]
    public async Task A_mailing_that_has_not_begun_takes_another_time_and_the_content_made_for_it(MailingState state)
    {
        var mailing = await Scheduled();
        if (state == MailingState.Paused) await Mailings.ChangeStateAsync(mailing, [MailingState.Scheduled], state, "by hand", Now, Cancel);
        var before = await Mailings.FindAsync(mailing, Cancel);

        Assert.True(await Reschedule(mailing));

        var after = await Mailings.FindAsync(mailing, Cancel);
        Assert.Equal(before! with { ScheduledAt = New, ContentHash = "h2", IssueHash = "file of h2", Lists = after!.Lists }, after);
        var content = await Mailings.ContentAsync(mailing, Cancel);
        Assert.Equal(("h2", "/posts/other", New), (content.Email.Hash, content.Permalink, content.Date));
        Assert.Equal((2, 2), ((await Balance(mailing)).Total, (await Balance(mailing)).Pending));
    }

    [Fact]
    public async Task It_is_due_at_its_new_time_and_who_saw_it_due_before_begins_nothing()
    {
        var mailing = await Scheduled();
        Assert.Equal([mailing], await Mailings.DueAsync(Old, Cancel));
        Assert.True(await Reschedule(mailing));

        Assert.Empty(await Mailings.DueAsync(Old, Cancel));
        Assert.False(await Begin(mailing, Old));
        Assert.Equal([mailing], await Mailings.DueAsync(New, Cancel));
        Assert.True(await Begin(mailing, New));
    }

    [Fact]
    public async Task A_resuming_that_goes_by_the_old_time_resumes_nothing()
    {
        var mailing = await Scheduled();
        await Mailings.ChangeStateAsync(mailing, [MailingState.Scheduled], MailingState.Paused, null, Now, Cancel);
        Assert.True(await Reschedule(mailing));
        Assert.False(await Mailings.ChangeStateAsync(mailing, [MailingState.Paused], MailingState.Sending, null, Old, Cancel));
        Assert.True(await Mailings.ChangeStateAsync(mailing, [MailingState.Paused], MailingState.Scheduled, null, Old, Cancel));
    }

    [Fact]
    public async Task One_that_was_put_to_sending_keeps_time_and_content_even_when_it_is_held_before_its_first_message()
    {
        var mailing = await Scheduled();
        Assert.True(await Begin(mailing, Old));
        Assert.False(await Reschedule(mailing));
        await Mailings.ChangeStateAsync(mailing, [MailingState.Sending], MailingState.Paused, null, Old, Cancel);
        Assert.False(await Reschedule(mailing));
        Assert.Equal((Old, "h1"), ((await Mailings.FindAsync(mailing, Cancel))!.ScheduledAt!.Value, (await Mailings.ContentAsync(mailing, Cancel)).Email.Hash));
    }

    [Fact]
    public async Task One_that_was_to_go_at_once_or_is_cancelled_takes_no_time()
    {
        var mailing = await Scheduled();
        await Mailings.ChangeStateAsync(mailing, [MailingState.Scheduled], MailingState.Cancelled, null, Now, Cancel);
        Assert.False(await Reschedule(mailing));

        var atOnce = (await Publish("week-2")).MailingId;
        Assert.False(await Reschedule(atOnce));
        await Mailings.ChangeStateAsync(atOnce, [MailingState.Sending], MailingState.Paused, null, Now, Cancel);
        Assert.False(await Reschedule(atOnce));
    }

    [Fact]
    public async Task A_list_that_was_added_before_it_began_changes_nothing_about_that()
    {
        var mailing = await Scheduled();
        await Import("guests", "zoe@example.org");
        Assert.Equal(1, (await Publish("week-1", "guests")).Added);
        Assert.True(await Reschedule(mailing));
        Assert.False((await Mailings.FindAsync(mailing, Cancel))!.HasBegun);
    }

    private async Task<long> Scheduled()
    {
        await Import("readers", "ann@example.org", "ben@example.org");
        return (await Mailings.PublishAsync(new PublishRequest(Slug("week-1"), [List("readers")], Content(), Old, Now), Cancel)).MailingId;
    }

    private Task<bool> Begin(long mailing, DateTimeOffset now) => Mailings.ChangeStateAsync(mailing, [MailingState.Scheduled], MailingState.Sending, null, now, Cancel);

    private Task<bool> Reschedule(long mailing) => Mailings.RescheduleAsync(mailing, Content("h2", "/posts/other") with { Date = New }, New, Cancel);
}
