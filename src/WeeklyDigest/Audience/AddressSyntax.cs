using System.Buffers;
using System.Globalization;
using System.Text;

namespace WeeklyDigest.Audience;

/// <summary>The syntax of addresses as <see cref="EmailAddress"/> takes them; each rule with its reason in words.</summary>
internal static class AddressSyntax
{
    private const int MaxLocalOctets = 64;
    private const int MaxOctets = 254;
    private const string TooLong = "it is longer than the 254 octets an address may have";

    private const string Digit = "0123456789";
    private const string Alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" + Digit;

    // RFC 5322 section 3.2.3, atext, and the dots between atoms.
    private static readonly SearchValues<char> DotAtom = SearchValues.Create(Alphanumeric + "!#$%&'*+-/=?^_`{|}~.");
    private static readonly SearchValues<char> AsciiControls = SearchValues.Create([.. Enumerable.Range(0, 128).Select(code => (char)code).Where(char.IsControl)]);
    private static readonly SearchValues<char> Hostname = SearchValues.Create(Alphanumeric + "-.");
    private static readonly SearchValues<char> Digits = SearchValues.Create(Digit);

    // Sinhala and Persian domains are written with them. IDNA takes one only where it changes how the letters around it join (RFC 5892 appendix A).
    private static readonly SearchValues<char> Joiners = SearchValues.Create('\u200C', '\u200D');
    private static readonly IdnMapping Idn = new() { UseStd3AsciiRules = true, AllowUnassigned = false };

    /// <summary>An address, and its parts.</summary>
    internal readonly record struct Parts(string Whole, string LocalPart, string Domain, string AsciiDomain);

    /// <summary>Reads an address.</summary>
    /// <returns>What is wrong, or null.</returns>
    public static string? Read(string text, out Parts parts)
    {
        parts = default;
        if (text.Length == 0) return "it is empty";
        if (text.Length > 4 * MaxOctets) return TooLong;
        if (Unprintable(text) is { } unprintable) return unprintable;
        text = text.Normalize(NormalizationForm.FormC);
        var at = text.LastIndexOf('@');
        if (at < 0) return "it has no @";
        var (localPart, domain) = (text[..at], text[(at + 1)..]);
        var problem = ReadDomain(domain, out var unicode, out var ascii);
        if ((ProblemOfLocalPart(localPart) ?? problem) is { } first) return first;
        if (Encoding.UTF8.GetByteCount(localPart) + 1 + ascii.Length > MaxOctets) return TooLong;
        // Nearly always it stands there already.
        var whole = unicode == domain ? text : $"{localPart}@{unicode}";
        parts = new Parts(whole, localPart, unicode, ascii);
        return null;
    }

    private static string? Unprintable(string text)
    {
        if (Ascii.IsValid(text)) return text.AsSpan().ContainsAny(AsciiControls) ? "it holds a control character" : text.Contains(' ') ? "it holds a space" : null;
        var (at, place) = (text.LastIndexOf('@'), 0);
        foreach (var rune in text.EnumerateRunes())
        {
            place += rune.Utf16SequenceLength;
            if (at >= 0 && place > at && rune.Value is 0x200C or 0x200D) continue;
            switch (Rune.GetUnicodeCategory(rune))
            {
                case UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator:
                    return "it holds a space";
                case UnicodeCategory.Control:
                    return "it holds a control character";
                // Two addresses that look the same must not be two; and no mailbox has such a name.
                case UnicodeCategory.Format or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned:
                    return Invisible(rune.Value);
            }
            if (rune == Rune.ReplacementChar) return "it was damaged by a wrong encoding";
        }
        return null;
    }

    private static string Invisible(int character) => $"it holds the invisible or undefined character U+{character:X4}";

    private static string? ProblemOfLocalPart(string text)
    {
        if (text.Length == 0) return "nothing stands before the @";
        if (text[0] == '"') return "its part before the @ is quoted, which is not supported";
        foreach (var character in text)
        {
            if (character == '@') return "it has more than one @";
            if (character < 128 && !DotAtom.Contains(character)) return $"'{character}' cannot stand in an address";
        }
        if (text[0] == '.' || text[^1] == '.' || text.Contains("..", StringComparison.Ordinal))
            return "before the @, a dot stands at the beginning, at the end, or beside another";
        return Encoding.UTF8.GetByteCount(text) > MaxLocalOctets ? "its part before the @ is longer than 64 octets" : null;
    }

    private static string? ReadDomain(string text, out string unicode, out string ascii)
    {
        (unicode, ascii) = ("", "");
        if (text.Length == 0) return "nothing stands after the @";
        if (text[0] == '[') return "an IP address in place of a domain is not supported";
        var isPlain = text.AsSpan().IndexOfAnyExcept(Hostname) < 0 && !text.Contains("xn--", StringComparison.OrdinalIgnoreCase);
        if (isPlain) unicode = ascii = text.ToLowerInvariant();
        else if (!TryIdn(text, out unicode, out ascii)) return text.AsSpan().IndexOfAny(Joiners) is >= 0 and var joiner ? Invisible(text[joiner]) : $"'{text}' is not a valid domain";
        return ProblemOfHostname(ascii);
    }

    // Both directions: what comes back from the A-labels is one spelling for all ways to write the same domain.
    private static bool TryIdn(string text, out string unicode, out string ascii)
    {
        try
        {
            ascii = Idn.GetAscii(text).ToLowerInvariant();
            unicode = Idn.GetUnicode(ascii).ToLowerInvariant();
            // What is kept has to be read again: of a domain with a character that is newer than ours, that is its A-labels.
            if (Unprintable("@" + unicode) is not null) unicode = ascii;
            return true;
        }
        catch (ArgumentException)
        {
            (unicode, ascii) = ("", "");
            return false;
        }
    }

    // RFC 1035 section 2.3.1 with RFC 1123 section 2.1: labels of 1 to 63 letters, digits and inner hyphens.
    private static string? ProblemOfHostname(string ascii)
    {
        if (ascii.Length > 253) return "its domain is longer than 253 octets";
        var labels = 0;
        var last = ReadOnlySpan<char>.Empty;
        foreach (var range in ascii.AsSpan().Split('.'))
        {
            labels++;
            last = ascii.AsSpan()[range];
            if (last.Length is 0 or > 63 || last[0] == '-' || last[^1] == '-') return $"'{ascii}' is not a valid domain";
        }
        if (labels < 2) return $"its domain '{ascii}' has no dot";
        return last.ContainsAnyExcept(Digits) ? null : "an IP address in place of a domain is not supported";
    }
}
