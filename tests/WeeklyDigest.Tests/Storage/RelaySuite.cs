using WeeklyDigest.Publishing;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Tests.Storage;

public abstract class RelaySuite<TPlace> : StorageSuite<TPlace> where TPlace : IDatabasePlace, new()
{
    private static readonly RelayRates OneAMinute = new(0, 0, 60);

    [Fact]
    public async Task What_one_process_has_drawn_another_does_not_get_and_no_restart_gives_back()
    {
        using var other = Open();
        Assert.Equal(1, (await Draw(OneAMinute)).Count);
        foreach (var database in new[] { Database, other })
        {
            var late = await database.Relays.DrawAsync("main", OneAMinute, 10, Cancel);
            Assert.Equal(0, late.Count);
            // Asked again a second before the place; the database's own clock goes on meanwhile.
            Assert.InRange(late.First.TotalSeconds, 30, 59.001);
        }
        Assert.Equal(1, (await other.Relays.DrawAsync("another", OneAMinute, 10, Cancel)).Count);
    }

    [Fact]
    public async Task Many_at_once_get_no_more_than_the_budget_together()
    {
        var rates = new RelayRates(0, 6000, 0);
        using var other = Open();
        var started = TimeProvider.System.GetTimestamp();
        var draws = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => (i % 2 == 0 ? Database : other).Relays.DrawAsync("main", rates, 7, Cancel)));
        var seconds = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        // A burst of a hundred, and what comes until a second after the last draw.
        var most = 100 + ((seconds + 1) * rates.Sustained) + 1;
        Assert.InRange(draws.Sum(draw => draw.Count), Math.Min(190, most), most);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task A_clock_that_jumps_by_a_day_gives_no_burst_and_stops_nobody(int days)
    {
        var rates = new RelayRates(0, 600, 0);
        var drawn = 0;
        for (var i = 0; i < 3; i++) drawn = (await Draw(rates, 20)).Count;
        Clock.AdjustTime(Now.AddDays(days));
        var after = await Draw(rates, 1000);
        Assert.InRange(after.Count, 0, 21);
        Assert.InRange(after.First.TotalSeconds, 0, 2);
    }

    [Fact]
    public async Task Limits_that_were_changed_hold_from_the_next_draw_on()
    {
        await Draw(OneAMinute);
        var faster = await Draw(new RelayRates(0, 0, 36_000), 3);
        Assert.InRange(faster.Count, 1, 3);
        Assert.InRange(faster.Last.TotalSeconds, 0, 1.2);
    }

    [Fact]
    public async Task Relays_that_are_set_aside_are_known_to_everybody_until_they_work_again()
    {
        using var other = Open();
        var password = new RelayAside("b", RelayAsideKind.Aside, "535 wrong password", Now);
        var blocked = new RelayAside("a", RelayAsideKind.Aside, "554 blocked", Now.AddSeconds(1));
        foreach (var aside in new[] { password, blocked, blocked with { Kind = RelayAsideKind.Again, At = Now.AddSeconds(2) } })
            await Database.Relays.NoteAsideAsync(aside, Cancel);
        Assert.Equal([blocked with { Kind = RelayAsideKind.Again, At = Now.AddSeconds(2) }, password], await other.Relays.AsideAsync(Cancel));
        await Database.Relays.NoteAsideAsync(new RelayAside("a", RelayAsideKind.Down, "It cannot be reached.", Now), Cancel);
        Assert.Equal([new RelayAside("a", RelayAsideKind.Down, "It cannot be reached.", Now), password], await other.Relays.AsideAsync(Cancel));
        await other.Relays.TakeBackAsync("a", Cancel);
        Assert.Equal("b", Assert.Single(await Database.Relays.AsideAsync(Cancel)).Relay);
    }

    private Task<RelayDraw> Draw(RelayRates rates, int count = 10) => Database.Relays.DrawAsync("main", rates, count, Cancel);
}
