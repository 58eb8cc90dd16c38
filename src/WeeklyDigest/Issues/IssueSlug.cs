using System.Diagnostics.CodeAnalysis;

namespace WeeklyDigest.Issues;

/// <summary>The name of an issue in commands, addresses and the ledger: 1 to 200 letters, digits, dots, dashes and underscores.</summary>
public sealed record IssueSlug
{
    private IssueSlug(string value) => Value = value;

    /// <summary>The slug.</summary>
    public string Value { get; }

    /// <summary>Reads a slug.</summary>
    /// <returns>False when the text is none.</returns>
    public static bool TryParse(string? text, [NotNullWhen(true)] out IssueSlug? slug)
    {
        var valid = text is { Length: > 0 and <= 200 }
            && text.All(c => char.IsLetterOrDigit(c) || c is '.' or '-' or '_')
            && text.Any(char.IsLetterOrDigit);
        slug = valid ? new IssueSlug(text!) : null;
        return valid;
    }

    /// <inheritdoc/>
    public override string ToString() => Value;
}
