using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Tests.Web;

namespace WeeklyDigest.Tests.Jobs;

public sealed class PreviewJobTests
{
    [Fact]
    public async Task A_requeued_preview_is_of_the_issue_it_was_of_and_a_new_one_of_the_next()
    {
        await using var site = await TestSite.StartAsync(folder =>
        {
            folder.Write("subscribers/sample.csv", TestSite.List(1));
            folder.Write("issues/week-1.md", TestSite.Issue("First", "date: 2026-01-01\n"));
            folder.Write("issues/week-2.md", TestSite.Issue("Second", "date: 2026-01-02\n"));
        });
        var desk = new JobDesk(site);
        var preview = desk.Trigger(PreviewJob.Name);
        Assert.Equal("Preview of week-1 sent to editor@example.com. Subscribers got nothing.", (await desk.EndAsync(preview)).Headline);
        await desk.EndAsync(desk.Trigger(WeeklyDigestJob.Name));

        var before = site.Inbox.Count;
        desk.Requeue(preview);
        await Eventually.HoldsAsync(() => site.Inbox.Count > before, "another preview", TimeSpan.FromMinutes(1));
        Assert.Equal("Preview of week-1 sent to editor@example.com. Subscribers got nothing.", (await desk.EndAsync(preview)).Headline);
        Assert.Equal("Preview of week-2 sent to editor@example.com. Subscribers got nothing.", (await desk.EndAsync(desk.Trigger(PreviewJob.Name))).Headline);
    }
}
