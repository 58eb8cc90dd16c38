namespace WeeklyDigest.Publishing;

/// <summary>An expected refusal: what, where, what to do. Commands print it and exit with 1, or with 2 when it is what was written that is wrong.</summary>
/// <param name="message">For people; may have several lines.</param>
public sealed class RefusedException(string message) : Exception(message)
{
    /// <summary>Whether what was written can mean nothing, whatever the state of things.</summary>
    public bool IsUsage { get; init; }
}
