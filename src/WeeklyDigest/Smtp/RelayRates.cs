namespace WeeklyDigest.Smtp;

/// <summary>How many messages a relay may get, over all processes and nodes that share a database. 0 is no limit; all that are set hold at once.</summary>
/// <remarks>
/// Each limit is an even row of places, one message each. After a rest some may go at once: a quarter of a second's worth of the limit by the
/// second, a sixtieth of the others (a second's worth of a minute, a minute's worth of an hour), at least one. In no minute and in no hour
/// there are more places than the limit says.
/// </remarks>
/// <param name="PerSecond">Messages per second, on average over some seconds.</param>
/// <param name="PerMinute">Messages in any minute.</param>
/// <param name="PerHour">Messages in any hour.</param>
public sealed record RelayRates(double PerSecond, double PerMinute, double PerHour)
{
    /// <summary>Places are given out so long before their time, in milliseconds.</summary>
    private const double Ahead = 1000;

    /// <summary>The worth of one draw, in milliseconds; a process that dies wastes no more.</summary>
    private const double Portion = 250;

    /// <summary>Whether there is a limit at all.</summary>
    public bool AreLimited => PerSecond > 0 || PerMinute > 0 || PerHour > 0;

    /// <summary>Messages per second in the long run; infinity without a limit.</summary>
    public double Sustained => 1000 / LongestInterval;

    /// <summary>How many places a process draws at once: a quarter of a second's worth, at least one.</summary>
    public int Draft => (int)Math.Max(1, Portion / LongestInterval);

    /// <summary>The time from one place to the next in the long run; zero without a limit.</summary>
    public TimeSpan Interval => Span(LongestInterval);

    private double LongestInterval => Math.Max(Second.Interval, Math.Max(Minute.Interval, Hour.Interval));

    private Row Second => new(1000, PerSecond, Math.Max(1, PerSecond / 4), Strict: false);

    private Row Minute => new(60_000, PerMinute, Math.Max(1, PerMinute / 60), Strict: true);

    private Row Hour => new(3_600_000, PerHour, Math.Max(1, PerHour / 60), Strict: true);

    /// <summary>Takes the next places.</summary>
    /// <param name="budget">How far the rows have been given out.</param>
    /// <param name="now">The time by the clock that <paramref name="budget"/> is kept by, in Unix milliseconds.</param>
    /// <param name="count">At most so many.</param>
    public RelayDraw Draw(RelayBudget budget, double now, int count)
    {
        var (second, minute, hour) = (Second, Minute, Hour);
        var (s, m, h) = (second.Start(budget.Second, now), minute.Start(budget.Minute, now), hour.Start(budget.Hour, now));
        var first = Math.Max(s, Math.Max(m, h));
        var room = Math.Min(second.Room(s, now), Math.Min(minute.Room(m, now), hour.Room(h, now)));
        var taken = (int)Math.Min(count, room);
        var left = new RelayBudget(second.After(s, taken), minute.After(m, taken), hour.After(h, taken));
        if (taken == 0) return new RelayDraw(0, Span(first - Ahead - now), TimeSpan.Zero, left);
        var last = Math.Max(second.After(s, taken - 1), Math.Max(minute.After(m, taken - 1), hour.After(h, taken - 1)));
        return new RelayDraw(taken, Span(first - now), Span(last - now), left);
    }

    /// <summary>The limit that counts in the long run, in words: "100 messages an hour".</summary>
    public override string ToString() => LongestInterval switch
    {
        0 => "no limit",
        var longest when longest == Hour.Interval => Words(PerHour, "an hour"),
        var longest when longest == Minute.Interval => Words(PerMinute, "a minute"),
        _ => Words(PerSecond, "a second"),
    };

    private static string Words(double limit, string span) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{limit} {(limit == 1 ? "message" : "messages")} {span}");

    private static TimeSpan Span(double milliseconds) => TimeSpan.FromMilliseconds(Math.Max(0, milliseconds));

    /// <summary>One limit.</summary>
    /// <param name="Length">The time it is about, in milliseconds.</param>
    /// <param name="Limit">Messages in that time; 0 for no limit.</param>
    /// <param name="Burst">Places that may be used at once after a rest.</param>
    /// <param name="Strict">Whether the burst is part of the limit, not beside it.</param>
    private readonly record struct Row(double Length, double Limit, double Burst, bool Strict)
    {
        /// <summary>Milliseconds from one place to the next; 0 without a limit.</summary>
        public double Interval => Limit <= 0 ? 0 : Length / (Strict ? Limit - Burst + 1 : Limit);

        // What lies further ahead than anybody could have taken was taken under another clock: that is counted as one message sent now, so
        // that a clock that jumped back stops nobody. One that jumped forward gives no more than the burst.
        public double Start(double next, double now)
        {
            if (Limit <= 0) return double.NegativeInfinity;
            var farthest = now + Ahead + Interval + 1;
            return next > farthest ? now + Interval : Math.Max(next, now - ((Burst - 1) * Interval));
        }

        public double Room(double start, double now)
            => Limit <= 0 ? double.PositiveInfinity : Math.Max(0, Math.Floor((now + Ahead - start) / Interval) + 1);

        public double After(double start, int taken) => Limit <= 0 ? 0 : start + (taken * Interval);
    }
}

/// <summary>How far a relay's places have been given out: when the next one is, for each limit, in Unix milliseconds. 0: none was ever given out.</summary>
/// <param name="Second">By the limit per second.</param>
/// <param name="Minute">By the limit per minute.</param>
/// <param name="Hour">By the limit per hour.</param>
public readonly record struct RelayBudget(double Second, double Minute, double Hour);

/// <summary>Places that were drawn: evenly from the first to the last.</summary>
/// <param name="Count">How many; 0: it is too early.</param>
/// <param name="First">How long from now until the first one's time; when there is none, until it is worth asking again.</param>
/// <param name="Last">How long until the last one's time.</param>
/// <param name="Left">The budget afterwards; to be kept also when nothing was drawn.</param>
public sealed record RelayDraw(int Count, TimeSpan First, TimeSpan Last, RelayBudget Left);
