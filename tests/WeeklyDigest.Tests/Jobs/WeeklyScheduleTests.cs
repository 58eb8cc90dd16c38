using System.Globalization;
using Microsoft.Extensions.Time.Testing;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Server.Settings;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Tests.Jobs;

public sealed class WeeklyScheduleTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    // A Sunday.
    private readonly FakeTimeProvider clock = new(Time("2026-03-01T12:00Z"));
    private readonly LogLines<WeeklySchedule> log = new();
    private Database database;

    public WeeklyScheduleTests() => database = Open();

    public void Dispose()
    {
        database.Dispose();
        folder.Dispose();
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_time_is_due_when_it_has_come_and_until_it_is_closed()
    {
        var schedule = await StartAsync("0 9 * * 1");
        Assert.Empty(await LookAsync(schedule));
        clock.SetUtcNow(Time("2026-03-02T08:59:59Z"));
        Assert.Empty(await LookAsync(schedule));
        clock.SetUtcNow(Time("2026-03-02T09:00Z"));
        Assert.Equal(["2026-03-02T09:00"], await LookAsync(schedule));
        Assert.Equal(["2026-03-02T09:00"], await LookAsync(schedule));

        await database.Schedules.CloseAsync(clock.GetUtcNow(), OccurrenceState.Done, null, Cancel);
        Assert.Empty(await LookAsync(schedule));
        clock.SetUtcNow(Time("2026-03-09T09:00:02Z"));
        Assert.Equal(["2026-03-09T09:00"], await LookAsync(schedule));
    }

    [Fact]
    public async Task A_restart_on_the_same_settings_makes_good_what_was_slept_through_and_no_older_time()
    {
        await StartAsync("0 9 * * *");
        Restart();
        // From Sunday noon to Thursday: Monday to Wednesday are gone, today's is five hours old.
        clock.SetUtcNow(Time("2026-03-05T14:00Z"));
        var schedule = await StartAsync("0 9 * * *");
        Assert.Equal(["2026-03-05T09:00"], await LookAsync(schedule));
        Assert.Empty(log.Lines);
    }

    [Theory]
    [InlineData("2026-03-02T21:00:00Z", true)]
    [InlineData("2026-03-02T21:00:01Z", false)]
    public async Task What_passed_more_than_twelve_hours_ago_is_an_alarm_and_not_sent(string awake, bool isSent)
    {
        await StartAsync("0 9 * * 1");
        Restart();
        clock.SetUtcNow(Time(awake));
        var schedule = await StartAsync("0 9 * * 1");
        for (var look = 0; look < 3; look++) Assert.Equal(isSent ? ["2026-03-02T09:00"] : [], await LookAsync(schedule));
        if (isSent) return;
        Assert.Equal("The issue of 2026-03-02 09:00 UTC was not sent. No server was on within 12 hours. Send it from the page Issues if it is still wanted", Assert.Single(log.Lines));
        Assert.Equal(OccurrenceState.Missed, (await database.Schedules.LastAsync(clock.GetUtcNow(), Cancel))!.State);
    }

    [Theory]
    [InlineData("2026-03-02T14:00Z", "The schedule was changed before an issue was chosen.")]
    [InlineData("2026-03-03T14:00Z", "No server was on within 12 hours.")]
    public async Task What_passed_before_the_settings_changed_and_no_server_was_on_is_an_alarm_and_not_sent(string awake, string why)
    {
        await StartAsync("0 9 * * 1");
        Restart();
        clock.SetUtcNow(Time(awake));
        for (var start = 0; start < 2; start++) Assert.Empty(await LookAsync(await StartAsync("0 9 * * 5")));
        Assert.Equal($"The issue of 2026-03-02 09:00 UTC was not sent. {why} Send it from the page Issues if it is still wanted", Assert.Single(log.Lines, line => !line.StartsWith("The schedule is", StringComparison.Ordinal)));
        Assert.Equal(OccurrenceState.Missed, (await database.Schedules.LastAsync(clock.GetUtcNow(), Cancel))!.State);
        clock.SetUtcNow(Time("2026-03-06T09:00Z"));
        Assert.Equal(["2026-03-06T09:00"], await LookAsync(await StartAsync("0 9 * * 5")));
    }

    [Fact]
    public async Task An_alarm_tells_the_time_in_UTC_whatever_the_zone_of_the_schedule()
    {
        await StartAsync("0 9 * * 1", "Asia/Tokyo");
        Restart();
        clock.SetUtcNow(Time("2026-03-02T21:00Z"));
        Assert.Empty(await LookAsync(await StartAsync("0 9 * * 1", "Asia/Tokyo")));
        Assert.StartsWith("The issue of 2026-03-02 00:00 UTC was not sent.", Assert.Single(log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_came_in_time_and_found_nobody_to_take_it_up_is_an_alarm_after_twelve_hours_unless_an_issue_was_chosen()
    {
        var schedule = await StartAsync("0 9 * * *");
        clock.SetUtcNow(Time("2026-03-02T09:00Z"));
        await LookAsync(schedule);
        clock.SetUtcNow(Time("2026-03-02T21:30Z"));
        Assert.Empty(await LookAsync(schedule));
        Assert.Contains("It was not taken up within 12 hours.", Assert.Single(log.Lines), StringComparison.Ordinal);

        clock.SetUtcNow(Time("2026-03-03T09:00Z"));
        await LookAsync(schedule);
        await database.Schedules.ChooseAsync(clock.GetUtcNow(), "week-1", Cancel);
        clock.SetUtcNow(Time("2026-03-03T23:00Z"));
        Assert.Equal(["2026-03-03T09:00"], await LookAsync(schedule));
    }

    // In the night to 25 October 2026 the clocks of Berlin go from 3:00 back to 2:00, in that to 29 March from 2:00 on to 3:00: 2:30 comes twice, or not at all.
    [Theory]
    [InlineData("2026-10-24T12:00Z", "2026-10-25T00:30")]
    [InlineData("2026-03-28T12:00Z", "2026-03-29T01:00")]
    public async Task In_a_night_with_an_hour_too_many_or_too_few_there_is_one_time(string eve, string time)
    {
        clock.SetUtcNow(Time(eve));
        var schedule = await StartAsync("30 2 * * *", "Europe/Berlin");
        var seen = new List<string>();
        for (var minute = 0; minute < 24 * 60; minute++)
        {
            clock.Advance(TimeSpan.FromMinutes(1));
            seen.AddRange(await TakeAsync(schedule));
        }
        Assert.Equal([time], seen);
    }

    [Fact]
    public async Task A_clock_that_is_set_back_or_forth_finds_each_time_once()
    {
        var schedule = await StartAsync("0 9 * * *");
        var seen = new List<string>();
        foreach (var moment in new[] { "2026-03-02T09:00:01Z", "2026-03-02T08:00Z", "2026-03-02T09:00:03Z", "2026-03-03T09:30Z", "2026-03-02T10:00Z", "2026-03-03T09:00Z", "2026-03-04T09:00Z" })
        {
            clock.AdjustTime(Time(moment));
            seen.AddRange(await TakeAsync(schedule));
        }
        Assert.Equal(["2026-03-02T09:00", "2026-03-03T09:00", "2026-03-04T09:00"], seen);
    }

    [Fact]
    public async Task A_schedule_made_by_a_clock_that_ran_years_ahead_is_not_waited_for()
    {
        clock.SetUtcNow(Time("2060-01-01T12:00Z"));
        var schedule = await StartAsync("0 9 * * *");
        clock.AdjustTime(Time("2026-03-01T12:00Z"));
        Assert.Empty(await LookAsync(schedule));
        clock.SetUtcNow(Time("2026-03-02T09:00Z"));
        Assert.Equal(["2026-03-02T09:00"], await LookAsync(schedule));
    }

    [Fact]
    public async Task A_node_whose_clock_is_a_little_behind_the_one_that_made_the_schedule_looks_in_vain_and_no_more()
    {
        var schedule = await StartAsync("* * * * *");
        clock.AdjustTime(Time("2026-03-01T11:59:30Z"));
        Assert.Empty(await LookAsync(schedule));
        clock.SetUtcNow(Time("2026-03-01T12:01Z"));
        Assert.Equal(["2026-03-01T12:01"], await LookAsync(schedule));
    }

    [Fact]
    public async Task Another_schedule_counts_from_when_it_was_made()
    {
        await StartAsync("0 9 * * *");
        clock.SetUtcNow(Time("2026-03-02T08:00Z"));
        Restart();
        // 7:30 has gone by today, and 9:00 is not the schedule's any more.
        var schedule = await StartAsync("30 7 * * *");
        clock.SetUtcNow(Time("2026-03-02T09:30Z"));
        Assert.Empty(await LookAsync(schedule));
        clock.SetUtcNow(Time("2026-03-03T07:30Z"));
        Assert.Equal(["2026-03-03T07:30"], await LookAsync(schedule));
    }

    [Fact]
    public async Task Settings_that_overturn_the_schedule_before_say_so_once()
    {
        for (var start = 0; start < 2; start++) await StartAsync("0 9 * * 1");
        Assert.Empty(log.Lines);
        for (var start = 0; start < 2; start++) await StartAsync("30 14 * * 5", "Europe/Berlin");
        Assert.Equal(
            "The schedule is now 30 14 * * 5 (Europe/Berlin), as Newsletter:Schedule says here; before it was 0 9 * * 1 (UTC). All servers on one database need the same Newsletter:Schedule, or each that starts overturns the others'",
            Assert.Single(log.Lines));
        await database.Schedules.ChangeAsync(new Schedule("30 14 * * 5", "Europe/Berlin", false, clock.GetUtcNow()), Cancel);
        await StartAsync("30 14 * * 5", "Europe/Berlin");
        Assert.Single(log.Lines);
        clock.Advance(TimeSpan.FromMinutes(1));
        await StartAsync("0 9 * * 1");
        Assert.Contains("The schedule is now 0 9 * * 1 (UTC), as Newsletter:Schedule says here; before it was off.", log.Lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_nodes_find_the_same_time()
    {
        var first = await StartAsync("0 9 * * *");
        using var other = Open();
        var second = new WeeklySchedule(other.Schedules, Settings("0 9 * * *", "UTC"), clock, log);
        Assert.Equal(await database.Schedules.FindAsync(Cancel), await second.AdoptAsync(Cancel));
        clock.SetUtcNow(Time("2026-03-02T09:00Z"));
        Assert.Equal(["2026-03-02T09:00"], await LookAsync(first));
        Assert.Equal(["2026-03-02T09:00"], await LookAsync(second));
        await other.Schedules.CloseAsync(clock.GetUtcNow(), OccurrenceState.Done, null, Cancel);
        Assert.Empty(await LookAsync(first));
    }

    private async Task<WeeklySchedule> StartAsync(string cron, string zone = "UTC")
    {
        var schedule = new WeeklySchedule(database.Schedules, Settings(cron, zone), clock, log);
        await schedule.AdoptAsync(Cancel);
        return schedule;
    }

    private void Restart()
    {
        database.Dispose();
        database = Open();
    }

    private Database Open() => Database.Open(new StorageOptions { ConnectionString = folder.File("weeklydigest.db") }, clock);

    private static async Task<IEnumerable<string>> LookAsync(WeeklySchedule schedule)
        => (await schedule.LookAsync(Cancel)).Select(occurrence => occurrence.DueAt.ToString("yyyy-MM-ddTHH:mm", CultureInfo.InvariantCulture));

    private async Task<IEnumerable<string>> TakeAsync(WeeklySchedule schedule)
    {
        var due = await schedule.LookAsync(Cancel);
        foreach (var occurrence in due) await database.Schedules.CloseAsync(occurrence.DueAt, OccurrenceState.Done, null, Cancel);
        return due.Select(occurrence => occurrence.DueAt.ToString("yyyy-MM-ddTHH:mm", CultureInfo.InvariantCulture));
    }

    private static ScheduleSettings Settings(string cron, string zone) => new(cron, TimeZoneInfo.FindSystemTimeZoneById(zone));

    private static DateTimeOffset Time(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
