namespace WeeklyDigest.Issues;

/// <summary>Collects findings by offset and hands them out by line and column.</summary>
internal sealed class FindingList(SourceText source)
{
    /// <summary>How many findings of one file are kept: nobody reads more, and a hostile file could make millions.</summary>
    public const int Limit = 500;

    private readonly HashSet<(string Code, int Offset)> _seen = [];
    private readonly List<(int Offset, Finding Finding)> _kept = [];

    /// <summary>Whether an error was found, kept or not.</summary>
    public bool HasErrors { get; private set; }

    /// <summary>Whether findings were dropped already, so that there is no use in looking for more of a kind.</summary>
    public bool IsCut { get; private set; }

    public void Error(string code, int offset, string message) => Add(Severity.Error, code, offset, message);

    public void Warning(string code, int offset, string message) => Add(Severity.Warning, code, offset, message);

    public void Info(string code, int offset, string message) => Add(Severity.Info, code, offset, message);

    /// <summary>All findings in the order of the file.</summary>
    public IReadOnlyList<Finding> InOrder()
    {
        var findings = _kept.OrderBy(kept => kept.Offset).Select(kept => kept.Finding).ToList();
        if (!IsCut) return findings;
        var severity = HasErrors ? Severity.Error : Severity.Warning;
        var last = findings[^1];
        findings.Add(new Finding(severity, "too-many-findings", "There are more findings, which are not shown; repair these first.", last.Line, last.Column));
        return findings;
    }

    private void Add(Severity severity, string code, int offset, string message)
    {
        HasErrors |= severity == Severity.Error;
        if (_kept.Count >= Limit)
        {
            IsCut = true;
            return;
        }
        if (!_seen.Add((code, offset))) return;
        var (line, column) = source.PlaceOf(offset);
        _kept.Add((offset, new Finding(severity, code, message, line, column)));
    }
}
