using System.Globalization;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server;

/// <summary>Pace and end of a run in words, for the terminal and for the dashboard.</summary>
internal static class ProgressWords
{
    /// <summary>The pace, by the second or by the minute; empty while nothing moves.</summary>
    public static string Pace(double perSecond) => perSecond switch
    {
        <= 0 => "",
        < 1 => string.Create(CultureInfo.InvariantCulture, $"{perSecond * 60:0.#} a minute"),
        < 10 => string.Create(CultureInfo.InvariantCulture, $"{perSecond:0.#} a second"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{perSecond:N0} a second"),
    };

    /// <summary>How long it takes, and until when; empty when nothing is open any more.</summary>
    /// <param name="remaining">The time left, or null when that is not known.</param>
    /// <param name="doneAt">Its end, or null.</param>
    public static string Left(TimeSpan? remaining, DateTimeOffset? doneAt) => remaining switch
    {
        null => "time left unknown",
        { Ticks: <= 0 } => "",
        { } span => $"about {Length(span)} left{Until(doneAt, span)}",
    };

    /// <summary>How a mailing stands that is paused or cancelled while answers of relays may still come; null while it is being sent.</summary>
    public static string? Held(DeliveryProgress progress) => progress.State switch
    {
        MailingState.Paused => $"paused: {Reason(progress.StateReason)}{Awaited(progress.Balance.Sending)}",
        MailingState.Cancelled => $"cancelled; what was not sent stays unsent{Awaited(progress.Balance.Sending)}",
        _ => null,
    };

    /// <summary>Why a mailing is paused, to be gone on with in the same sentence.</summary>
    public static string Reason(string? reason) => (reason ?? "by the editor").TrimEnd('.');

    private static string Awaited(long answers) => answers switch
    {
        <= 0 => "",
        1 => "; 1 answer is awaited",
        _ => string.Create(CultureInfo.InvariantCulture, $"; {answers} answers are awaited"),
    };

    // Of few hours or minutes, each is too much of the whole to be rounded to; the end that stands beside would belie it.
    private static string Length(TimeSpan span) => span switch
    {
        _ when Whole(span.TotalSeconds) is < 3 * 60 and var seconds => Count(seconds, "second"),
        _ when Whole(span.TotalMinutes) is < 3 * 60 and var minutes => Count(minutes, "minute"),
        _ when Whole(span.TotalHours) is < 3 * 24 and var hours => Count(hours, "hour"),
        _ => Count(Whole(span.TotalDays), "day"),
    };

    private static long Whole(double amount) => Math.Max(1, (long)Math.Round(amount, MidpointRounding.AwayFromZero));

    private static string Count(long whole, string unit) => string.Create(CultureInfo.InvariantCulture, $"{whole} {unit}{(whole == 1 ? "" : "s")}");

    private static string Until(DateTimeOffset? end, TimeSpan span)
        => end is { } at && span.TotalMinutes >= 1 ? ", until " + at.ToString(span.TotalDays < 1 ? "HH:mm zzz" : "d MMM HH:mm zzz", CultureInfo.InvariantCulture) : "";
}
