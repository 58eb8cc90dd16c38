namespace WeeklyDigest.Deliveries;

/// <summary>A receiving domain that does not want a mailing (5.7.x, 5.6.x, 5.3.4, spam, blocked...): it blames us, and nobody is suppressed for it.</summary>
/// <param name="DomainId">The domain's key.</param>
/// <param name="Domain">The domain, in lower case, in Unicode form.</param>
/// <param name="Refusals">Refusals in this mailing.</param>
/// <param name="InARow">Refusals since the domain last accepted a message of it.</param>
/// <param name="Reply">The latest refusal's words.</param>
/// <param name="FirstAt">When the first one came.</param>
/// <param name="LastAt">When the latest one came.</param>
/// <param name="StoppedAt">Since when the mailing leaves the domain alone; null while it does not.</param>
/// <param name="Waiting">Deliveries of a stopped domain that are pending or deferred.</param>
public sealed record DomainAlarm(
    long DomainId,
    string Domain,
    long Refusals,
    long InARow,
    string Reply,
    DateTimeOffset FirstAt,
    DateTimeOffset LastAt,
    DateTimeOffset? StoppedAt,
    long Waiting)
{
    /// <summary>After so many refusals in a row the mailing leaves the domain alone, until the editor resumes it.</summary>
    public const int RefusalsInARow = 20;
}
