using System.Text.Encodings.Web;
using System.Text.Json;

namespace WeeklyDigest.Storage;

/// <summary>A subscriber's attributes as one JSON object of strings, keys sorted, so that equal attributes are equal texts.</summary>
internal static class AttributesJson
{
    /// <summary>No attributes.</summary>
    public const string Empty = "{}";

    private static readonly IReadOnlyDictionary<string, string> None = new Dictionary<string, string>();

    // Written to a column, never into a page: only what JSON itself asks for is escaped.
    private static readonly JsonSerializerOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The text of attributes.</summary>
    public static string Write(IReadOnlyDictionary<string, string> attributes)
        => attributes.Count == 0 ? Empty : JsonSerializer.Serialize(new SortedDictionary<string, string>(attributes.ToDictionary(), StringComparer.Ordinal), Options);

    /// <summary>The attributes of a text.</summary>
    public static IReadOnlyDictionary<string, string> Read(string text)
        => text == Empty ? None : JsonSerializer.Deserialize<Dictionary<string, string>>(text, Options) ?? None;

    /// <summary>The text of old attributes with new ones laid over them; what the new ones do not have stays.</summary>
    public static string Merge(string old, IReadOnlyDictionary<string, string> added)
    {
        if (added.Count == 0) return old;
        if (old == Empty || Write(added) == old) return Write(added);
        var merged = Read(old).ToDictionary();
        foreach (var (key, value) in added) merged[key] = value;
        return Write(merged);
    }
}
