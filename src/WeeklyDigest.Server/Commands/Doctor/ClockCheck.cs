using System.Globalization;

namespace WeeklyDigest.Server.Commands.Doctor;

/// <summary>
/// Looks at the clock: schedules, retries and the date of every message hang on it. Relays tell no time, so two others are asked: the kernel,
/// whether something keeps its clock right; and the public address, whose answer is dated. When neither can say, that is said.
/// </summary>
internal static class ClockCheck
{
    private const string Area = "clock";

    /// <summary>What a clock may be off before anything is said.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(1);

    /// <summary>Looks.</summary>
    /// <param name="elsewhere">The time by the public address, or null.</param>
    /// <param name="time">The clock.</param>
    public static IEnumerable<Diagnosis> Run(DateTimeOffset? elsewhere, TimeProvider time)
    {
        var now = time.GetUtcNow();
        if (elsewhere is { } date) yield return Compare(date, now, "the public address");
        var kept = KernelClock.IsKept();
        if (kept is not null || elsewhere is null) yield return Kept(kept, now);
    }

    /// <summary>Compares with another clock.</summary>
    /// <param name="date">What it shows.</param>
    /// <param name="now">What ours shows.</param>
    /// <param name="whose">Whose it is, such as <c>the database</c>.</param>
    public static Diagnosis Compare(DateTimeOffset date, DateTimeOffset now, string whose)
    {
        var off = now - date;
        return off.Duration() <= Tolerance
            ? Diagnosis.Ok(Area, $"{char.ToUpperInvariant(whose[0])}{whose[1..]} tells the same time.")
            : Diagnosis.Problem(Area, $"It is {Show(now)} here, but {Show(date)} by {whose}.", "Set the clock that is wrong, and keep it right by an NTP client.");
    }

    private static Diagnosis Kept(bool? kept, DateTimeOffset now) => kept switch
    {
        true => Diagnosis.Ok(Area, $"{Show(now)}; the system keeps it right."),
        false => Diagnosis.Warning(Area, $"{Show(now)}; the system says that nothing keeps it right.", "Run an NTP client, such as chrony or systemd-timesyncd."),
        null => Diagnosis.Warning(Area, $"{Show(now)}; nobody could be asked whether that is right.", "Compare it with another clock."),
    };

    private static string Show(DateTimeOffset moment) => moment.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
}
