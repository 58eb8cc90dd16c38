namespace WeeklyDigest.Issues;

/// <summary>What was read from a file, also where it has errors.</summary>
/// <param name="Issue">The issue, null when a finding is an error.</param>
/// <param name="Findings">All findings by line and column.</param>
/// <param name="Permalink">A valid permalink, given or made from the file's name; else null.</param>
/// <param name="Slug">Its slug, else null.</param>
/// <param name="PermalinkPlace">Line and column of the permalink, or of where it is missing.</param>
internal sealed record IssueReading(Issue? Issue, IReadOnlyList<Finding> Findings, string? Permalink, IssueSlug? Slug, (int Line, int Column) PermalinkPlace)
{
    /// <summary>Whether two files cannot both be published: one page, or one slug, which names an issue in the ledger.</summary>
    public bool Collides(IssueReading other)
        => Permalink is not null && other.Permalink is not null
            && (Issues.Permalink.Same(Permalink, other.Permalink)
                || string.Equals(Slug!.Value, other.Slug!.Value, StringComparison.OrdinalIgnoreCase));
}
