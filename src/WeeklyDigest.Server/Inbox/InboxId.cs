using System.Buffers;
using System.Globalization;

namespace WeeklyDigest.Server.Inbox;

/// <summary>
/// The name of a kept message, also its file's: the time to 100 ns, then a tag of its giver. Names sort by time. A giver (<see cref="InboxIds"/>) never
/// gives the same time twice and no two share a tag, so several may write into one folder.
/// </summary>
internal sealed record InboxId
{
    private const string TimeFormat = "yyyyMMdd'T'HHmmssfffffff";

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    private InboxId(string text) => Text = text;

    /// <summary>Digits, a T, a dash, and the tag: safe in a path and in a URL.</summary>
    public string Text { get; }

    /// <summary>When the message was accepted.</summary>
    public DateTimeOffset At => new(DateTime.ParseExact(Text[..22], TimeFormat, CultureInfo.InvariantCulture), TimeSpan.Zero);

    /// <summary>The name for a time.</summary>
    /// <param name="ticks">UTC, in units of 100 ns.</param>
    /// <param name="tag">Twelve hexadecimal digits.</param>
    public static InboxId Of(long ticks, string tag)
        => new(new DateTime(ticks, DateTimeKind.Utc).ToString(TimeFormat, CultureInfo.InvariantCulture) + "-" + tag);

    /// <summary>Reads a name that came from outside; null when it is not one, so that no path can be smuggled in.</summary>
    public static InboxId? Parse(string? text)
        => text is not null && HasShape(text)
            && DateTime.TryParseExact(text[..22], TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out _)
                ? new InboxId(text)
                : null;

    /// <summary>Whether a text looks like a name; cheap, for listing many.</summary>
    public static bool HasShape(ReadOnlySpan<char> text)
        => text.Length == 35 && text[8] == 'T' && text[22] == '-'
            && !text[..8].ContainsAnyExceptInRange('0', '9') && !text[9..22].ContainsAnyExceptInRange('0', '9')
            && !text[23..].ContainsAnyExcept(HexDigits);
}
