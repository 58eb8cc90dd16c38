namespace WeeklyDigest.Server.Commands.Doctor;

/// <summary>How well a thing is.</summary>
internal enum Health
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>Works, but somebody should look at it; or it could not be found out.</summary>
    Warning,

    /// <summary>Will fail, or mail will not arrive.</summary>
    Problem,
}

/// <summary>One thing the doctor looked at.</summary>
/// <param name="Area">What it belongs to: settings, folders, database, lists, jobs, relay, templates, address, clock, dkim, spf, dmarc.</param>
/// <param name="Status">How well it is.</param>
/// <param name="Message">What was found; no secret.</param>
/// <param name="Advice">What to do; null when there is nothing to do.</param>
/// <param name="Record">The DNS record to publish, or null.</param>
internal sealed record Diagnosis(string Area, Health Status, string Message, string? Advice = null, PublishedRecord? Record = null)
{
    private const int MaxShown = 200;

    /// <summary>Foreign text, made short enough for a message.</summary>
    public static string Shorten(string text) => text.Length <= MaxShown ? text : text[..MaxShown] + "…";

    /// <summary>All is well.</summary>
    public static Diagnosis Ok(string area, string message) => new(area, Health.Ok, message);

    /// <summary>Somebody should look at it.</summary>
    public static Diagnosis Warning(string area, string message, string advice) => new(area, Health.Warning, message, advice);

    /// <summary>It has to be put right.</summary>
    public static Diagnosis Problem(string area, string message, string advice) => new(area, Health.Problem, message, advice);
}

/// <summary>A TXT record to publish.</summary>
/// <param name="Name">Its name, without a final dot.</param>
/// <param name="Text">Its text, in one piece.</param>
internal sealed record PublishedRecord(string Name, string Text)
{
    /// <summary>A string of a TXT record is at most so long (RFC 1035 section 3.3).</summary>
    private const int Longest = 255;

    /// <summary>The record as a line of a zone file, its text in strings as long as DNS allows.</summary>
    public string ZoneLine => $"{Name}. IN TXT {string.Join(' ', Text.Chunk(Longest).Select(part => $"\"{new string(part)}\""))}";
}
