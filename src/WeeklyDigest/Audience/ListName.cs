using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace WeeklyDigest.Audience;

/// <summary>The name of a list: 1 to 64 letters, digits, dots, dashes and underscores; compared without regard to case, kept in lower case.</summary>
public sealed record ListName : IComparable<ListName>
{
    private ListName(string value) => Value = value;

    /// <summary>The name in lower case.</summary>
    public string Value { get; }

    /// <summary>Reads a list name.</summary>
    /// <returns>False when the text is none.</returns>
    public static bool TryParse(string? text, [NotNullWhen(true)] out ListName? name)
    {
        // Some file systems hand out names decomposed: u and two dots are two characters there.
        var composed = text is null || text.Any(char.IsSurrogate) ? "" : NormalForm.Of(text, NormalizationForm.FormC);
        var valid = composed is { Length: > 0 and <= 64 }
            && composed.All(c => char.IsLetterOrDigit(c) || c is '.' or '-' or '_')
            && composed.Any(char.IsLetterOrDigit);
        name = valid ? new ListName(composed.ToLowerInvariant()) : null;
        return valid;
    }

    /// <inheritdoc/>
    public int CompareTo(ListName? other) => string.CompareOrdinal(Value, other?.Value);

    /// <inheritdoc/>
    public override string ToString() => Value;
}
