using System.Buffers;
using System.Text;

namespace WeeklyDigest.Smtp;

/// <summary>A relay's words as they go into the ledger and messages: one line, no control characters, at most 500 characters, no secret.</summary>
internal static class ReplyText
{
    /// <summary>The longest text.</summary>
    public const int MaxLength = 500;

    private static readonly SearchValues<char> Printable = SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(code => (char)code)]);

    /// <summary>Cleans a text.</summary>
    public static string Clean(string text)
    {
        if (IsClean(text)) return text;
        var line = new StringBuilder(Math.Min(text.Length, MaxLength));
        foreach (var rune in HeaderText.WithoutControls(text).EnumerateRunes())
        {
            if (rune.Value == ' ' && (line.Length == 0 || line[^1] == ' ')) continue;
            if (line.Length + rune.Utf16SequenceLength > MaxLength) break;
            line.Append(rune.ToString());
        }
        return line.ToString().TrimEnd();
    }

    /// <summary>A reply with its code in front.</summary>
    public static string Of(int code, string text) => Clean($"{code} {text}");

    /// <summary>Blackens the login's secrets, should a relay echo them.</summary>
    public static string WithoutSecrets(string text, RelayOptions relay) => WithoutSecrets(text, SecretsOf(relay));

    /// <summary>Blackens what <see cref="SecretsOf"/> gave.</summary>
    public static string WithoutSecrets(string text, string[] secrets)
    {
        foreach (var secret in secrets) text = text.Replace(secret, "***", StringComparison.Ordinal);
        return text;
    }

    /// <summary>The login's secrets, in clear and as AUTH sends them, the longest first.</summary>
    public static string[] SecretsOf(RelayOptions relay)
        => relay.Password.Length == 0 ? [] : [Base64($"\0{relay.Username}\0{relay.Password}"), Base64(relay.Password), relay.Password];

    // Nearly every reply is.
    private static bool IsClean(string text)
        => text.Length <= MaxLength && !text.AsSpan().ContainsAnyExcept(Printable) && !text.StartsWith(' ') && !text.EndsWith(' ') && !text.Contains("  ", StringComparison.Ordinal);

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
