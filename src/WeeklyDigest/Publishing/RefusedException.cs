namespace WeeklyDigest.Publishing;

/// <summary>An expected refusal: what, where, what to do. Commands print it and exit with 1.</summary>
/// <param name="message">For people; may have several lines.</param>
public sealed class RefusedException(string message) : Exception(message);
