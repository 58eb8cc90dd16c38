using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Storage;

/// <summary>What the ledger's database promises of the schedule.</summary>
public abstract class ScheduleSuite<TPlace> : StorageSuite<TPlace> where TPlace : IDatabasePlace, new()
{
    private IScheduleStore Schedules => Database.Schedules;

    private DateTimeOffset At(int hour) => Now.Date.AddHours(hour);

    [Fact]
    public async Task Settings_are_taken_over_when_they_change_and_a_change_made_elsewhere_stays_until_then()
    {
        Assert.Null(await Schedules.FindAsync(Cancel));
        var first = await Schedules.AdoptAsync("0 9 * * 1", "UTC", Now, Cancel);
        Assert.Equal(new Schedule("0 9 * * 1", "UTC", true, Now), first);
        Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(first, await Schedules.AdoptAsync("0 9 * * 1", "UTC", Now, Cancel));

        var changed = new Schedule("0 7 * * 5", "Europe/Berlin", false, Now);
        await Schedules.ChangeAsync(changed, Cancel);
        Clock.Advance(TimeSpan.FromMinutes(1));
        changed = changed with { IsTold = true };
        Assert.Equal(changed, await Schedules.AdoptAsync("0 9 * * 1", "UTC", Now, Cancel));
        Assert.Equal(changed, await Schedules.FindAsync(Cancel));

        Assert.Equal(new Schedule("0 10 * * 1", "UTC", true, Now), await Schedules.AdoptAsync("0 10 * * 1", "UTC", Now, Cancel));
    }

    [Fact]
    public async Task A_time_is_noted_once_by_however_many()
    {
        var schedule = await Schedules.AdoptAsync("0 9 * * *", "UTC", Now, Cancel);
        using var other = Open();
        var notes = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() => (i % 2 == 0 ? Schedules : other.Schedules).AddAsync(Due(9), schedule, Cancel))));
        Assert.Single(notes, isFirst => isFirst);
        Assert.Equal([Due(9)], await Schedules.DueAsync(Cancel));
        Assert.Equal(Due(9), await other.Schedules.FindAsync(At(9), Cancel));
    }

    [Fact]
    public async Task The_issue_that_was_chosen_first_stays_and_a_closed_time_takes_none()
    {
        var schedule = await Schedules.AdoptAsync("0 9 * * *", "UTC", Now, Cancel);
        Assert.True(await Schedules.AddAsync(Due(9), schedule, Cancel));
        Assert.Equal("week-1", await Schedules.ChooseAsync(At(9), "week-1", Cancel));
        Assert.Equal("week-1", await Schedules.ChooseAsync(At(9), "week-2", Cancel));

        await Schedules.CloseAsync(At(9), OccurrenceState.Done, null, Cancel);
        await Schedules.CloseAsync(At(9), OccurrenceState.Refused, "too late", Cancel);
        Assert.Null(await Schedules.ChooseAsync(At(9), "week-3", Cancel));
        Assert.Null(await Schedules.ChooseAsync(At(10), "week-3", Cancel));
        Assert.Equal(new Occurrence(At(9), OccurrenceState.Done, "week-1", null), await Schedules.FindAsync(At(9), Cancel));
        Assert.Empty(await Schedules.DueAsync(Cancel));
        Assert.False(await Schedules.AddAsync(Due(9), schedule, Cancel));
    }

    [Fact]
    public async Task A_schedule_that_was_changed_or_is_off_leaves_nothing_behind()
    {
        var schedule = await Schedules.AdoptAsync("0 9 * * *", "UTC", Now, Cancel);
        await Schedules.AddAsync(Due(9), schedule, Cancel);
        await Schedules.AddAsync(Due(10), schedule, Cancel);
        await Schedules.ChooseAsync(At(10), "week-1", Cancel);
        Clock.Advance(TimeSpan.FromMinutes(1));
        var changed = schedule with { Cron = "0 10 * * *", Since = Now };
        await Schedules.ChangeAsync(changed, Cancel);

        // An issue that was chosen is under way; what only had a time is taken back, and the old schedule notes no more.
        Assert.Equal("week-1", Assert.Single(await Schedules.DueAsync(Cancel)).Issue);
        var taken = await Schedules.FindAsync(At(9), Cancel);
        Assert.Equal((OccurrenceState.Missed, "The schedule was changed before an issue was chosen."), (taken!.State, taken.Note));
        Assert.False(await Schedules.AddAsync(Due(11), schedule, Cancel));
        Assert.True(await Schedules.AddAsync(Due(11), changed, Cancel));

        await Schedules.ChangeAsync(changed with { IsOn = false }, Cancel);
        Assert.False(await Schedules.AddAsync(Due(12), changed, Cancel));
    }

    [Fact]
    public async Task The_last_time_is_the_latest_that_is_not_to_come()
    {
        var schedule = await Schedules.AdoptAsync("0 9 * * *", "UTC", Now, Cancel);
        foreach (var hour in new[] { 9, 11, 10 }) await Schedules.AddAsync(Due(hour), schedule, Cancel);
        Assert.Equal(At(10), (await Schedules.LastAsync(At(10).AddMinutes(30), Cancel))!.DueAt);
        Assert.Equal(At(11), (await Schedules.LastAsync(At(11), Cancel))!.DueAt);
        Assert.Null(await Schedules.LastAsync(At(8), Cancel));
        Assert.Equal([At(9), At(10), At(11)], (await Schedules.DueAsync(Cancel)).Select(occurrence => occurrence.DueAt));
    }

    private Occurrence Due(int hour) => new(At(hour), OccurrenceState.Due, null, null);
}
