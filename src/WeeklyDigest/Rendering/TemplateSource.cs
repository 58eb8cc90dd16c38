using System.Security.Cryptography;
using System.Text;
using WeeklyDigest.Issues;
using WeeklyDigest.Merging;

namespace WeeklyDigest.Rendering;

/// <summary>A file of the templates folder; the merge slots of a view are slot tokens already.</summary>
/// <param name="Path">The file as messages name it.</param>
/// <param name="Text">The text, line breaks as they stand in the file.</param>
/// <param name="Slots">What the tokens stand for; the first has the index <see cref="FirstSlot"/>.</param>
/// <param name="Hash">SHA-256 of the text, lower-case hex.</param>
internal sealed record TemplateSource(string Path, string Text, IReadOnlyList<MergePart> Slots, string Hash)
{
    /// <summary>
    /// Tokens of templates are numbered from here, those of issues from 0: so the text that is compiled does not depend on the issue,
    /// and a template is compiled once.
    /// </summary>
    public const int FirstSlot = IssueParser.MaxSlots;

    /// <summary>No template at all: for text that comes from the issue alone.</summary>
    public static readonly TemplateSource None = new("issue", "", [], "");

    private const string Restoring = "restore it, or set Paths:Templates to the folder that has it.";

    private static readonly IReadOnlyList<MergePart> Taken = [.. Enumerable.Repeat(new MergePart("", null, MergeEncoding.Plain), FirstSlot)];

    /// <summary>Reads a RazorLight view.</summary>
    /// <exception cref="TemplateException">It is not there, is no regular file, is not UTF-8, or holds an unknown slot.</exception>
    public static async Task<TemplateSource> ReadViewAsync(string path, CancellationToken cancel)
    {
        var text = await ReadTextAsync(path, cancel);
        var table = new List<MergePart>(Taken);
        var problems = new List<(int Offset, string Message)>();
        var tokenized = SlotTokens.Tokenize(text, table, problems);
        if (problems.Count > 0) throw Problem(path, text, problems);
        return new TemplateSource(path, tokenized, table[FirstSlot..], HashOf(tokenized));
    }

    /// <summary>Reads a file as it stands, such as a style sheet: no slots are looked for.</summary>
    /// <exception cref="TemplateException">It is not there, is no regular file, or is not UTF-8.</exception>
    public static async Task<TemplateSource> ReadPlainAsync(string path, CancellationToken cancel)
    {
        var text = await ReadTextAsync(path, cancel);
        return new TemplateSource(path, text, [], HashOf(text));
    }

    /// <summary>Reads several.</summary>
    /// <exception cref="TemplateException">What is wrong with each that cannot be used, a line or more of it.</exception>
    public static async Task<IReadOnlyList<TemplateSource>> ReadAllAsync(IEnumerable<Task<TemplateSource>> reading)
    {
        var (sources, problems) = (new List<TemplateSource>(), new List<TemplateException>());
        foreach (var source in reading)
        {
            try
            {
                sources.Add(await source);
            }
            catch (TemplateException problem)
            {
                problems.Add(problem);
            }
        }
        return problems.Count == 0 ? sources : throw (problems.Count == 1 ? problems[0] : new TemplateException(string.Join('\n', problems.Select(problem => problem.Message))));
    }

    /// <summary>Line and column of an offset, both from 1; the column in UTF-16 units.</summary>
    public static (int Line, int Column) PlaceOf(string text, int offset)
    {
        var before = text.AsSpan(0, offset);
        return (before.Count('\n') + 1, offset - before.LastIndexOf('\n'));
    }

    /// <summary>SHA-256 of a text, lower-case hex.</summary>
    public static string HashOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static async Task<string> ReadTextAsync(string path, CancellationToken cancel)
    {
        if (RegularFile.OtherAt(path) is { } other) throw new TemplateException($"The template {path} is {other}, and no regular file; {Restoring}");
        try
        {
            var bytes = await File.ReadAllBytesAsync(path, cancel);
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes).TrimStart('\uFEFF');
        }
        catch (Exception problem) when (problem is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new TemplateException($"There is no template {path}; {Restoring}", problem);
        }
        catch (DecoderFallbackException problem)
        {
            throw new TemplateException($"The template {path} is not UTF-8; save it as UTF-8.", problem);
        }
    }

    private static TemplateException Problem(string path, string text, List<(int Offset, string Message)> problems)
    {
        var lines = problems.OrderBy(problem => problem.Offset).Select(problem =>
        {
            var (line, column) = PlaceOf(text, problem.Offset);
            return $"{path}({line},{column}): {problem.Message}";
        });
        return new TemplateException(string.Join('\n', lines));
    }
}
