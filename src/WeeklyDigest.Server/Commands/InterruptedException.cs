namespace WeeklyDigest.Server.Commands;

/// <summary>A command was asked to end, and running it again would not resume.</summary>
/// <param name="message">For people: how things stand, and what to do.</param>
internal sealed class InterruptedException(string message) : OperationCanceledException(message);
