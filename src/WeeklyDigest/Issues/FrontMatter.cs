namespace WeeklyDigest.Issues;

/// <summary>A value of the front matter and where it stands.</summary>
/// <param name="Value">The value; slots in it are tokens where the key allows them.</param>
/// <param name="Offset">Offset of the value in the file's text.</param>
internal sealed record Placed<T>(T Value, int Offset);

/// <summary>What the front matter says, checked key by key. Null where a key is missing or its value is wrong.</summary>
internal sealed class FrontMatter
{
    /// <summary>Offset of what is missing when a key is: the opening fence, or the beginning of the file.</summary>
    public int Offset { get; set; }

    /// <summary>Offset of the Markdown after it.</summary>
    public int BodyStart { get; set; }

    /// <summary>Whether the YAML could be read to its end; if not, a missing key says nothing.</summary>
    public bool IsWhole { get; set; } = true;

    public Placed<string>? Title { get; set; }

    public Placed<string>? Permalink { get; set; }

    public Placed<string>? Subject { get; set; }

    public Placed<string>? Preheader { get; set; }

    public DateOnly? Date { get; set; }

    public bool Draft { get; set; }

    public IReadOnlyList<string> Lists { get; set; } = [];

    public string? Author { get; set; }

    public string? Language { get; set; }

    public string? Cover { get; set; }
}
