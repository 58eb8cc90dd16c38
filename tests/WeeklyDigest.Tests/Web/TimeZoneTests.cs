using WeeklyDigest.Publishing;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Tests.Web;

/// <summary>An editor who gave the schedule a zone writes every time in it.</summary>
public sealed class TimeZoneTests
{
    private static readonly Uri Page = new("/hangfire/issues/week-1/time", UriKind.Relative);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_page_tells_and_reads_a_time_in_the_zone_of_the_schedule_that_holds()
    {
        await using var site = await TestSite.StartAsync(folder =>
        {
            folder.Write("subscribers/sample.csv", TestSite.List(2));
            folder.Write("issues/week-1.md", TestSite.Issue("First"));
        });
        var installation = site.Installation;
        await installation.PublishIssue.RunAsync(installation.Issues.Find("week-1")!, list: null, new DateTimeOffset(2050, 1, 10, 12, 0, 0, TimeSpan.Zero), _ => Task.CompletedTask, Cancel);
        using var editor = await site.EditorAsync();
        Assert.Contains("10 January 2050 12:00 (UTC)", await editor.GetStringAsync(Page, Cancel), StringComparison.Ordinal);

        await installation.Database.Schedules.ChangeAsync(new Schedule("0 9 * * 1", "Asia/Tokyo", true, TimeProvider.System.GetUtcNow()), Cancel);
        var page = await editor.GetStringAsync(Page, Cancel);
        Assert.Contains("10 January 2050 21:00 (Asia/Tokyo)", page, StringComparison.Ordinal);
        Assert.Contains("value=\"2050-01-10T21:00\"", page, StringComparison.Ordinal);
        Assert.Contains("In Asia/Tokyo. ", page, StringComparison.Ordinal);

        using var form = TestSite.FormOf(page, ("at", "2050-01-11T09:00"));
        using var answer = await editor.PostAsync(Page, form, Cancel);
        Assert.Contains("It starts on 11 January 2050 09:00 (Asia/Tokyo) instead of 10 January 2050 21:00 (Asia/Tokyo).", await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        Assert.Equal(new DateTimeOffset(2050, 1, 11, 0, 0, 0, TimeSpan.Zero), Assert.Single(await installation.Database.Mailings.ListAsync(Cancel)).ScheduledAt);
    }

    [Fact]
    public async Task A_machine_that_does_not_know_the_zone_says_so_and_shows_its_pages_all_the_same()
    {
        await using var site = await TestSite.StartAsync(folder =>
        {
            folder.Write("subscribers/sample.csv", TestSite.List(2));
            folder.Write("issues/week-1.md", TestSite.Issue("First"));
        });
        var installation = site.Installation;
        await installation.PublishIssue.RunAsync(installation.Issues.Find("week-1")!, list: null, new DateTimeOffset(2050, 1, 10, 12, 0, 0, TimeSpan.Zero), _ => Task.CompletedTask, Cancel);
        await installation.Database.Schedules.ChangeAsync(new Schedule("0 9 * * 1", "Mars/Olympus", true, TimeProvider.System.GetUtcNow()), Cancel);
        using var editor = await site.EditorAsync();
        const string Unknown = "this machine does not know the time zone Mars/Olympus";
        foreach (var page in new[] { "issues", "schedule" })
            Assert.Contains(Unknown, await editor.GetStringAsync(new Uri("/hangfire/" + page, UriKind.Relative), Cancel), StringComparison.OrdinalIgnoreCase);
        Assert.Contains("10 January 2050 12:00 (UTC)", await editor.GetStringAsync(Page, Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_terminal_reads_a_time_in_the_zone_that_the_page_was_told_and_else_in_that_of_the_settings()
    {
        using var workspace = new Workspace();
        workspace.WithSubscribers(2).UseRelay(1).Set("Newsletter:Schedule:TimeZone", "Europe/Berlin").WithWeek1();
        Assert.Equal(2, (await workspace.RunHereAsync("send", "week-1", "--at", "soon")).ExitCode);
        Assert.False(File.Exists(workspace.DatabaseFile));
        using var database = Database.Open(new StorageOptions { ConnectionString = workspace.DatabaseFile }, TimeProvider.System);
        // As a server did that was started with other settings.
        await database.Schedules.AdoptAsync("0 9 * * 1", "UTC", TimeProvider.System.GetUtcNow(), Cancel);
        Assert.Contains(": scheduled for 2050-01-10 08:00:00 +00:00", await SendAsync(), StringComparison.Ordinal);
        await database.Schedules.ChangeAsync(new Schedule("0 9 * * 1", "Asia/Tokyo", false, TimeProvider.System.GetUtcNow()), Cancel);
        Assert.Contains(": scheduled for 2050-01-10 00:00:00 +00:00", await SendAsync(), StringComparison.Ordinal);

        async Task<string> SendAsync() => (await workspace.RunHereAsync("send", "week-1", "--at", "2050-01-10T09:00")).ToString();
    }
}
