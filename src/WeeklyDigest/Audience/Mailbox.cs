namespace WeeklyDigest.Audience;

/// <summary>An address with the name shown beside it (RFC 5322 section 3.4).</summary>
/// <param name="Name">The display name, or null; never holds control characters.</param>
/// <param name="Address">The address.</param>
public sealed record Mailbox(string? Name, EmailAddress Address);
