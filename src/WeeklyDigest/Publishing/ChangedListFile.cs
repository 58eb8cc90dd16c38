using WeeklyDigest.Audience;

namespace WeeklyDigest.Publishing;

/// <summary>A list file that is not what was imported last.</summary>
/// <param name="Path">The file.</param>
/// <param name="List">The list; null when the file's name is none.</param>
/// <param name="Rows">How many of its rows can be used: of people who are on the list already, and of others.</param>
/// <param name="Refusal">Why it cannot be imported; null when it can.</param>
public sealed record ChangedListFile(string Path, ListName? List, long Rows, string? Refusal);
