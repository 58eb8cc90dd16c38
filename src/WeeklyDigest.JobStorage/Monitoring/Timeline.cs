using System.Globalization;
using Hangfire.Storage.SQLite.Database;

namespace Hangfire.Storage.SQLite.Monitoring;

/// <summary>How many jobs ended in a state, by day and by hour: counters that Hangfire keeps under the key <c>stats:STATE:TIME</c>.</summary>
internal static class Timeline
{
    /// <summary>The last seven days, today first.</summary>
    public static Dictionary<DateTime, long> ByDay(Session session, string state, DateTime now)
        => Read(session, state, Enumerable.Range(0, 7).Select(i => now.Date.AddDays(-i)), "yyyy-MM-dd");

    /// <summary>The last 24 hours, this one first.</summary>
    public static Dictionary<DateTime, long> ByHour(Session session, string state, DateTime now)
        => Read(session, state, Enumerable.Range(0, 24).Select(i => now.AddHours(-i)), "yyyy-MM-dd-HH");

    private static Dictionary<DateTime, long> Read(Session session, string state, IEnumerable<DateTime> times, string format)
        => times.ToDictionary(time => time, time => session["Counter"].With("@key", $"stats:{state}:{time.ToString(format, CultureInfo.InvariantCulture)}").Number() ?? 0);
}
