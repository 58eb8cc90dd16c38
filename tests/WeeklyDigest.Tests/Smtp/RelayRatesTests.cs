using CsCheck;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Tests.Smtp;

public sealed class RelayRatesTests
{
    private const double Minute = 60_000;
    private const double Hour = 60 * Minute;
    private const double Day = 24 * Hour;

    /// <summary>A time in 2026, in Unix milliseconds.</summary>
    private const double Start = 1_770_000_000_000;

    [Fact]
    public void In_no_minute_and_no_hour_are_there_more_than_the_limits_say() => Gen.Select(
        Gen.Select(Gen.Double[0.5, 300], Gen.Int[0, 3000], Gen.Int[0, 20_000]), Gen.Select(Gen.Double[0, 3000], Gen.Int[1, 50]).Array[1, 300]).Sample((limits, asks) =>
    {
        var (perSecond, perMinute, perHour) = limits;
        var sent = Sent(new RelayRates(perSecond, perMinute, perHour), asks);
        return IsWithin(sent, 1000, perSecond * 1.25 + 1) && IsWithin(sent, Minute, perMinute) && IsWithin(sent, Hour, perHour);
    });

    [Fact]
    public void Messages_go_in_an_even_row_at_the_rate_that_was_set()
    {
        var rates = new RelayRates(20, 0, 0);
        var sent = Sent(rates, [.. Enumerable.Repeat((100.0, rates.Draft), 1000)]);
        Assert.Equal(100_000 * 20 / 1000, sent.Count, 30.0);
        Assert.All(sent.Skip(20).Zip(sent.Skip(21)), pair => Assert.Equal(50, pair.Second - pair.First, 0.01));
    }

    [Theory]
    [InlineData(40, 0, 0, 10)]
    [InlineData(0, 600, 0, 10)]
    [InlineData(0, 0, 600, 10)]
    [InlineData(0, 0, 1, 1)]
    [InlineData(0.1, 0, 0, 1)]
    public void After_a_rest_a_little_goes_at_once(double perSecond, double perMinute, double perHour, int atOnce)
    {
        var rates = new RelayRates(perSecond, perMinute, perHour);
        var (budget, went) = (rates.Draw(default, Start, 1).Left, 0);
        while (rates.Draw(budget, Start + Day, rates.Draft) is { Count: > 0 } draw && draw.Last < TimeSpan.FromMilliseconds(1)) (budget, went) = (draw.Left, went + draw.Count);
        Assert.Equal(atOnce, went);
    }

    [Fact]
    public void All_limits_hold_at_once()
    {
        var rates = new RelayRates(10, 120, 3600);
        Assert.Equal(3600 - 60 + 1, rates.Sustained * 3600, 0.01);
        Assert.Equal("3600 messages an hour", rates.ToString());
        var sent = Sent(rates, [.. Enumerable.Repeat((250.0, 10), 60)]);
        Assert.InRange(sent.Count(at => at < Start + 1000), 1, 13);
    }

    [Theory]
    [InlineData(-Day)]
    [InlineData(-Hour)]
    [InlineData(Day)]
    public void A_clock_that_jumps_gives_no_burst_and_stops_nobody(double jump)
    {
        foreach (var rates in new[] { new RelayRates(20, 0, 0), new RelayRates(0, 600, 0), new RelayRates(0, 0, 3600), new RelayRates(1, 30, 600) })
        {
            var budget = rates.Draw(default, Start, 1000).Left;
            var now = Start + jump;
            var sent = new List<double>();
            for (var asked = 0; asked < 200; asked++, now += 100)
            {
                var draw = rates.Draw(budget, now, 10);
                budget = draw.Left;
                sent.AddRange(Places(draw, now));
            }
            var burst = Math.Max(rates.PerSecond / 4, Math.Max(rates.PerMinute / 60, rates.PerHour / 60));
            Assert.InRange(sent.Count, (19.0 * rates.Sustained) - 1, (21.0 * rates.Sustained) + burst + 1);
        }
    }

    [Fact]
    public void Too_early_it_says_when_to_ask_again_and_then_gives_a_place()
    {
        var rates = new RelayRates(0, 0, 60);
        var first = rates.Draw(default, Start, 5);
        Assert.Equal(1, first.Count);
        var early = rates.Draw(first.Left, Start + 5000, 5);
        Assert.Equal((0, TimeSpan.FromSeconds(54)), (early.Count, early.First));
        var second = rates.Draw(early.Left, Start + 59_000, 5);
        Assert.Equal((1, TimeSpan.FromSeconds(1)), (second.Count, second.First));
    }

    [Theory]
    [InlineData(1, 0, 0, "1 message a second")]
    [InlineData(100, 1000, 0, "1000 messages a minute")]
    [InlineData(0.5, 0, 0, "0.5 messages a second")]
    [InlineData(0, 0, 0, "no limit")]
    public void Tells_the_limit_that_counts(double perSecond, double perMinute, double perHour, string words)
        => Assert.Equal(words, new RelayRates(perSecond, perMinute, perHour).ToString());

    // Asks come so many milliseconds after each other, for so many places.
    private static List<double> Sent(RelayRates rates, IEnumerable<(double After, int Count)> asks)
    {
        var (budget, now, sent) = (default(RelayBudget), Start, new List<double>());
        foreach (var (after, count) in asks)
        {
            now += after;
            var draw = rates.Draw(budget, now, count);
            budget = draw.Left;
            sent.AddRange(Places(draw, now));
        }
        return sent;
    }

    private static IEnumerable<double> Places(RelayDraw draw, double now)
    {
        for (var i = 0; i < draw.Count; i++)
        {
            var part = draw.Count == 1 ? 0 : (double)i / (draw.Count - 1);
            yield return now + draw.First.TotalMilliseconds + ((draw.Last - draw.First).TotalMilliseconds * part);
        }
    }

    // TimeSpan counts in 0.1 microseconds; that much is forgiven.
    private static bool IsWithin(List<double> sent, double window, double limit)
    {
        if (limit <= 0) return true;
        sent.Sort();
        for (int first = 0, last = 0; last < sent.Count; last++)
        {
            while (sent[last] - sent[first] >= window - 0.01) first++;
            if (last - first + 1 > limit + 0.001) return false;
        }
        return true;
    }
}
