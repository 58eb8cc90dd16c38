using System.Text.RegularExpressions;

namespace WeeklyDigest.Server.Inbox;

/// <summary>What follows MAIL FROM: or RCPT TO: (RFC 5321 section 4.1.2): an address in angle brackets, then parameters.</summary>
/// <param name="Address">The address without brackets; empty for the null sender.</param>
/// <param name="Parameters">The parameters in capitals, as they came.</param>
internal sealed partial record SmtpPath(string Address, IReadOnlyList<string> Parameters)
{
    private const int LongestAddress = 254;

    /// <summary>Whether anything in the address needs SMTPUTF8 (RFC 6531).</summary>
    public bool IsInternational => Address.Any(c => c > 127);

    /// <summary>Reads it, or gives null when the syntax is wrong.</summary>
    public static SmtpPath? Parse(string text)
    {
        var match = Shape().Match(text);
        return match.Success && match.Groups["address"].Length <= LongestAddress
            ? new SmtpPath(match.Groups["address"].Value, match.Groups["parameters"].Value.ToUpperInvariant().Split(' ', StringSplitOptions.RemoveEmptyEntries))
            : null;
    }

    // A quoted or plain local part, @, a domain or an address literal. No control characters and no bare brackets: the address goes into header lines.
    // Of \p{C} all but surrogates: two of them are one character here, and the text was read as UTF-8, which has no single ones.
    [GeneratedRegex("""
        \A<(?<address>|(?:"(?:[^"\\\p{Cc}\p{Cf}\p{Co}\p{Cn}]|\\[\x20-\x7e])*"|[^\s"<>()\[\]\\,;:@\p{Cc}\p{Cf}\p{Co}\p{Cn}]+)@(?:\[[0-9A-Za-z.:]+\]|[^\s"<>()\[\]\\,;:@\p{Cc}\p{Cf}\p{Co}\p{Cn}]+))>(?<parameters>(?: +[A-Za-z0-9][A-Za-z0-9-]*(?:=[\x21-\x3c\x3e-\x7e]+)?)*) *\z
        """, RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Shape();
}
