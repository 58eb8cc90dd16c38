using WeeklyDigest.Audience;

namespace WeeklyDigest.Publishing;

/// <summary>What the import of one list file did.</summary>
/// <param name="Path">The file.</param>
/// <param name="List">The list; null when the file's name is none.</param>
/// <param name="Counts">Addresses.</param>
/// <param name="Problems">Rows that were skipped: line and reason; at most the first 1,000.</param>
/// <param name="ProblemCount">How many rows were skipped.</param>
/// <param name="Refusal">Why nothing of the file was imported: what, where, what to do; null when it was.</param>
public sealed record ListFileReport(
    string Path, ListName? List, ImportCounts Counts, IReadOnlyList<RowProblem> Problems, long ProblemCount, string? Refusal);
