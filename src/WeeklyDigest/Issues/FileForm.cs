namespace WeeklyDigest.Issues;

/// <summary>Refuses what is no Markdown file at all, before it is decoded.</summary>
internal static class FileForm
{
    /// <summary>The one finding of such a file, or null.</summary>
    public static Finding? Refusal(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > IssueParser.MaxBytes)
            return new Finding(Severity.Error, "too-large", $"The file is larger than {IssueParser.MaxBytes / 1024 / 1024} MB, the most that an issue may have.", 1, 1);
        if (bytes.StartsWith<byte>([0xFF, 0xFE]) || bytes.StartsWith<byte>([0xFE, 0xFF]))
            return new Finding(Severity.Error, "not-utf8", "The file is saved as UTF-16: save it as UTF-8.", 1, 1);
        if (bytes.IndexOf((byte)0) is >= 0 and var at)
        {
            var (line, column) = PlaceOf(bytes, at);
            return new Finding(Severity.Error, "binary", "This is no text file: it holds null bytes, the first one here. An issue is a Markdown file in UTF-8.", line, column);
        }
        return null;
    }

    private static (int Line, int Column) PlaceOf(ReadOnlySpan<byte> bytes, int at)
    {
        var (before, _) = SourceText.Decode(bytes[..at]);
        return new SourceText(before).PlaceOf(before.Length);
    }
}
