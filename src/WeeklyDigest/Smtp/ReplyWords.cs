using System.Globalization;
using System.Text.RegularExpressions;

namespace WeeklyDigest.Smtp;

/// <summary>A reply as <see cref="ReplyRule"/> looks at it: code, enhanced code, and the words without addresses.</summary>
internal sealed partial class ReplyWords
{
    private readonly string code;
    private readonly string text;
    private string[]? enhanced;
    private string? words;

    /// <summary>Takes a reply apart.</summary>
    /// <param name="code">The reply code, <see cref="ReplyPolicy.Lost"/> or <see cref="ReplyPolicy.NoHandshake"/>.</param>
    /// <param name="text">The text behind it.</param>
    public ReplyWords(int code, string text)
    {
        this.code = code switch { ReplyPolicy.Lost => "lost", ReplyPolicy.NoHandshake => "failed", _ => code.ToString(CultureInfo.InvariantCulture) };
        this.text = text;
    }

    // Taken apart only when a line asks: of an accepted message, none does.
    private string[] Enhanced => enhanced ??= EnhancedOf(code, text).Split('.', StringSplitOptions.RemoveEmptyEntries);

    // Not the addresses and links: somebody may be called spam@, and that is no reason to take a reply for one about spam.
    private string Words => words ??= AddressOrLink().Replace(text, " ").ToLowerInvariant();

    /// <summary>Whether the reply code is of this form.</summary>
    public bool Has(string pattern) => pattern switch
    {
        "lost" or "failed" => code == pattern,
        "any" => code is not ("lost" or "failed"),
        _ => HasDigits(pattern),
    };

    /// <summary>Whether the enhanced code is one of these; always when there are none.</summary>
    public bool HasAnyCode(string[] patterns) => patterns.Length == 0 || patterns.Any(HasCode);

    /// <summary>Whether one of these words stands in the text, at the start of a word; always when there are none.</summary>
    public bool SaysAny(string[] some) => some.Length == 0 || some.Any(Says);

    private bool HasDigits(string pattern)
    {
        if (code.Length != pattern.Length) return false;
        for (var i = 0; i < code.Length; i++)
            if (pattern[i] != 'x' && pattern[i] != code[i]) return false;
        return true;
    }

    private bool HasCode(string pattern)
    {
        if (pattern == "none") return Enhanced.Length == 0;
        var parts = pattern.Split('.');
        return Enhanced.Length == parts.Length && parts.Zip(Enhanced).All(pair => pair.First == "x" || pair.First == pair.Second);
    }

    private bool Says(string word)
    {
        for (var at = Words.IndexOf(word, StringComparison.Ordinal); at >= 0; at = Words.IndexOf(word, at + 1, StringComparison.Ordinal))
            if (at == 0 || !char.IsLetter(Words[at - 1])) return true;
        return false;
    }

    // In front where RFC 2034 puts it; else the first of the reply's class that is quoted further on ("mx.example.net said: 550 5.1.1 ...").
    private static string EnhancedOf(string code, string text)
        => EnhancedCode().Matches(text).Select(match => match.Value).FirstOrDefault(value => value[0] == code[0]) ?? "";

    [GeneratedRegex(@"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.]*\d)", RegexOptions.CultureInvariant)]
    private static partial Regex EnhancedCode();

    [GeneratedRegex(@"\S*(@|://)\S*", RegexOptions.CultureInvariant)]
    private static partial Regex AddressOrLink();
}
