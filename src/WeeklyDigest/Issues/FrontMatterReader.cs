using WeeklyDigest.Merging;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace WeeklyDigest.Issues;

/// <summary>Reads the YAML between the fences, event by event: no object is built from what the file names, no alias is followed.</summary>
internal static class FrontMatterReader
{
    /// <summary>The longest front matter that is read, in UTF-16 units.</summary>
    private const int MaxLength = 32 * 1024;

    /// <summary>Reads the front matter of a text.</summary>
    /// <param name="text">The file's text with slots as tokens.</param>
    /// <param name="findings">Where problems go.</param>
    public static FrontMatter Read(string text, FindingList findings)
    {
        var fence = FrontMatterFence.Find(text);
        if (fence is null) return new FrontMatter();
        var result = new FrontMatter { Offset = fence.Fence, BodyStart = fence.BodyStart };
        if (!fence.IsClosed)
            findings.Error("front-matter-unterminated", fence.Fence, "The front matter that begins here is not ended: write a line --- after it.");
        var isTooLong = fence.YamlEnd - fence.YamlStart > MaxLength;
        if (isTooLong) findings.Error("front-matter-too-long", fence.Fence, $"The front matter is longer than {MaxLength} characters.");
        result.IsWhole = !isTooLong && ReadYaml(text, fence, new FrontMatterKeys(result, findings), findings);
        return result;
    }

    private static bool ReadYaml(string text, FrontMatterFence fence, FrontMatterKeys keys, FindingList findings)
    {
        var yaml = new YamlCursor(text, fence);
        try
        {
            return ReadDocument(yaml, keys, findings);
        }
        catch (YamlException broken)
        {
            Report(findings, yaml.OffsetOf(broken.Start), Quoted.Plain(broken.InnerException?.Message ?? broken.Message, 200));
            return false;
        }
        catch (Exception broken) when (broken is InvalidOperationException or ArgumentException or FormatException or OverflowException)
        {
            // What YamlDotNet's scanner lets slip on some broken texts, instead of its own exception.
            Report(findings, yaml.Offset, "it breaks off behind this place");
            return false;
        }
    }

    private static void Report(FindingList findings, int offset, string reason) => findings.Error(
        "front-matter-yaml", offset, $"The front matter is not valid YAML: {reason.TrimEnd('.')}. A value that holds a colon and a space, a # or quotes has to stand in quotes.");

    private static bool ReadDocument(YamlCursor yaml, FrontMatterKeys keys, FindingList findings)
    {
        if (!yaml.MoveTo<DocumentStart>()) return true;
        yaml.Next();
        if (yaml.Current is Scalar { Value: "" }) return true;
        if (yaml.Current is not MappingStart)
        {
            findings.Error("front-matter-yaml", yaml.Offset, "The front matter has to consist of lines such as title: week 1.");
            return false;
        }
        yaml.Next();
        while (yaml.Current is not MappingEnd) ReadPair(yaml, keys, findings);
        yaml.Next();
        if (yaml.MoveTo<DocumentStart>())
            findings.Error("front-matter-yaml", yaml.Offset, "The front matter holds more than one YAML document.");
        return true;
    }

    private static void ReadPair(YamlCursor yaml, FrontMatterKeys keys, FindingList findings)
    {
        var offset = yaml.Offset;
        var key = (yaml.Current as Scalar)?.Value;
        yaml.SkipNode();
        var value = yaml.ReadValue();
        if (key is null) findings.Error("front-matter-key", offset, "A key of the front matter has to be a word.");
        else keys.Set(key, offset, value);
    }
}
