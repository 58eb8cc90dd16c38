namespace WeeklyDigest;

/// <summary>The database cannot be used; the message says which, why and what to do.</summary>
/// <param name="message">For people.</param>
/// <param name="inner">The cause, or null.</param>
public sealed class StorageException(string message, Exception? inner = null) : Exception(message, inner);
