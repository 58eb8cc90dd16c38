namespace Hangfire.Storage.SQLite.Database;

/// <summary>Times as the database has them: Unix milliseconds, UTC.</summary>
internal static class UnixTime
{
    /// <summary>A time as a number. Hangfire's times are UTC, whatever their kind says.</summary>
    public static long Of(DateTime time) => new DateTimeOffset(DateTime.SpecifyKind(time, DateTimeKind.Utc)).ToUnixTimeMilliseconds();

    /// <summary>A number as a time.</summary>
    public static DateTime Read(long time) => DateTimeOffset.FromUnixTimeMilliseconds(time).UtcDateTime;

    /// <summary>Now.</summary>
    public static long Now(TimeProvider clock) => clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>So much later than now; at most the end of time.</summary>
    public static long After(TimeProvider clock, TimeSpan wait)
    {
        var now = clock.GetUtcNow();
        return wait < DateTimeOffset.MaxValue - now ? (now + wait).ToUnixTimeMilliseconds() : DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();
    }
}
