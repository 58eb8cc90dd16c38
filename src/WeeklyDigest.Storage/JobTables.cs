namespace WeeklyDigest.Storage;

/// <summary>Tables that another library makes for the jobs on the ledger's server. Their version is in one more, of the name <c>schema</c>.</summary>
/// <param name="Schema">Their schema.</param>
/// <param name="NewestVersion">The newest version that the library at hand knows.</param>
/// <param name="Names">Which tables that version has.</param>
public sealed record JobTables(string Schema, int NewestVersion, IReadOnlyList<string> Names);
