using System.Security.Cryptography;
using System.Text.Json;
using WeeklyDigest.Merging;

namespace WeeklyDigest.Rendering;

/// <summary>The hash by which a preview and what is sent are the same.</summary>
internal static class RenderedHash
{
    /// <summary>SHA-256 over subject, HTML and text with their slots, lower-case hex.</summary>
    public static string Of(MergeTemplate subject, MergeTemplate html, MergeTemplate text)
        => Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(new[] { subject, html, text })));
}
