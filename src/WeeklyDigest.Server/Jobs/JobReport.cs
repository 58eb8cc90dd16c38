using System.Text.Json;
using System.Text.Json.Serialization;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Jobs;

/// <summary>What a job's page says about it, while it runs and afterwards.</summary>
/// <param name="Headline">One line: what happens, or what was done.</param>
internal sealed record JobReport(string Headline)
{
    private static readonly JsonSerializerOptions Options = new() { Converters = { new JsonStringEnumConverter() } };

    /// <summary>Whether the job is over.</summary>
    public bool Done { get; init; }

    /// <summary>Whether it ended because something has to be mended first.</summary>
    public bool Refused { get; init; }

    /// <summary>The issue, or null before one was chosen.</summary>
    public string? Issue { get; init; }

    /// <summary>The job that sends the issue in its place, or null.</summary>
    public string? Other { get; init; }

    /// <summary>The mailing's state, or null where there is no mailing.</summary>
    public MailingState? State { get; init; }

    /// <summary>The mailing's balance, or null.</summary>
    public Balance? Balance { get; init; }

    /// <summary>How the mailing stands while it is paused or cancelled and the job only awaits answers, in place of the headline; else null.</summary>
    public string? Held { get; init; }

    /// <summary>Recent rate.</summary>
    public double MessagesPerSecond { get; init; }

    /// <summary>Estimated time to the end, or null.</summary>
    public TimeSpan? Remaining { get; init; }

    /// <summary>When that is over, or null.</summary>
    public DateTimeOffset? DoneAt { get; init; }

    /// <summary>What holds the job up, or null.</summary>
    public string? Notice { get; init; }

    /// <summary>When the next deferred delivery is due, or null.</summary>
    public DateTimeOffset? NextAttemptAt { get; init; }

    /// <summary>What else was decided or found on the way, a line each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>As it is stored with the job.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Options);

    /// <summary>From what was stored; null when that is none of ours.</summary>
    public static JobReport? FromJson(string? json)
    {
        try
        {
            return string.IsNullOrEmpty(json) ? null : JsonSerializer.Deserialize<JobReport>(json, Options);
        }
        catch (JsonException)
        {
            return null; // written by another version
        }
    }
}
