using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Server.Settings;
using WeeklyDigest.Storage;
using WeeklyDigest.Tests.Web;

namespace WeeklyDigest.Tests.Jobs;

public sealed class CandidatesTests : IDisposable
{
    // Monday in Auckland.
    private readonly ManualClock clock = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly TemporaryFolder folder = new();
    private readonly Database database;

    public CandidatesTests() => database = Database.Open(new StorageOptions { ConnectionString = folder.File("weeklydigest.db") }, clock);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        database.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task The_day_is_that_of_the_schedule_that_holds_also_when_the_editor_changed_its_zone()
    {
        folder.Write("issues/week-1.md", TestSite.Issue("week-1", "date: 2026-03-02\n"));
        var candidates = new Candidates(new IssueLibrary(folder.File("issues")), database.Schedules, new ScheduleSettings("0 1 * * 1", TimeZoneInfo.Utc), clock);
        await database.Schedules.AdoptAsync("0 1 * * 1", "UTC", clock.GetUtcNow(), Cancel);
        Assert.Equal(new DateOnly(2026, 3, 1), await candidates.TodayAsync(Cancel));

        await database.Schedules.ChangeAsync(new Schedule("0 1 * * 1", "Pacific/Auckland", true, clock.GetUtcNow()), Cancel);

        Assert.Equal(new DateOnly(2026, 3, 2), await candidates.TodayAsync(Cancel));
        Assert.Equal("week-1", (await candidates.ToPreviewAsync([], Cancel))!.Slug);
    }
}
