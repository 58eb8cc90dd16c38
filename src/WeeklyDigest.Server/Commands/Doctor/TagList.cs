namespace WeeklyDigest.Server.Commands.Doctor;

/// <summary>Reads <c>name=value; name=value</c>, the form of DKIM's and DMARC's records (RFC 6376 section 3.2).</summary>
internal static class TagList
{
    /// <summary>The tags by name; of one that is there twice the first. What is no tag is left out.</summary>
    public static IReadOnlyDictionary<string, string> Of(string text)
    {
        var tags = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in text.Split(';'))
        {
            var at = part.IndexOf('=', StringComparison.Ordinal);
            if (at > 0) tags.TryAdd(part[..at].Trim(), part[(at + 1)..].Trim());
        }
        return tags;
    }
}
