using System.Globalization;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Commands;

/// <summary>Reads when to send: ISO 8601 with an offset, or local time in the schedule's time zone.</summary>
internal static class SendTime
{
    private const int MostYears = 100;

    private static readonly string[] Local = ["yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd HH:mm", "yyyy-MM-dd HH:mm:ss"];
    private static readonly string[] WithOffset = [.. Local.SelectMany(format => new[] { format + "zzz", format + "'Z'" })];

    /// <summary>The moment.</summary>
    /// <param name="text">Such as 2026-03-02T09:00+01:00 or 2026-03-02 09:00.</param>
    /// <param name="zone">The zone of a time without offset.</param>
    /// <param name="now">It is within a hundred years from here: beyond, the year is a slip, and dates come to their end.</param>
    /// <exception cref="RefusedException">It is no time, too far ahead, or one that the zone skips when its clocks go forward.</exception>
    public static DateTimeOffset Parse(string text, TimeZoneInfo zone, DateTimeOffset now)
    {
        var trimmed = text.Trim();
        var moment = Read(text, trimmed, zone);
        return moment <= now.AddYears(MostYears) ? moment
            : throw Wrong(string.Create(CultureInfo.InvariantCulture, $"{trimmed} is more than {MostYears} years ahead of now, {now.UtcDateTime:yyyy-MM-dd HH:mm} UTC. Is its year right, and the clock here? Write a time until {now.UtcDateTime.AddYears(MostYears):yyyy-MM-dd}."));
    }

    private static DateTimeOffset Read(string text, string trimmed, TimeZoneInfo zone)
    {
        if (DateTimeOffset.TryParseExact(trimmed, WithOffset, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment)) return moment.ToUniversalTime();
        // At both ends of the calendar a moment has no date in every zone. At the later one it is too far ahead in any.
        if (!DateTime.TryParseExact(trimmed, Local, CultureInfo.InvariantCulture, DateTimeStyles.None, out var local) || local.Year is 1)
            throw Wrong($"'{text}' is no time; write one such as 2026-03-02T09:00 (in {zone.Id}) or 2026-03-02T09:00+01:00.");
        if (local.Year is 9999) return DateTimeOffset.MaxValue;
        if (zone.IsInvalidTime(local))
            throw Wrong($"{trimmed} does not exist in {zone.Id}: the clocks go forward over it; choose an hour later, or write the offset.");
        // Where the clocks go back an hour is there twice: the first one is meant.
        var offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
        return new DateTimeOffset(local, offset).ToUniversalTime();
    }

    private static RefusedException Wrong(string message) => new(message) { IsUsage = true };
}
