using WeeklyDigest.Storage;

namespace WeeklyDigest.Server;

/// <summary>
/// A ledger whose file is gone where a server has run. One that is made in its place would know neither who has unsubscribed nor what was sent, and the
/// schedule would send everything again.
/// </summary>
internal static class LostLedger
{
    /// <summary>What is gone and what to do; null when the ledger is in its place, or is still to be made.</summary>
    /// <param name="storage">Where the ledger is.</param>
    /// <param name="jobs">Where a server keeps its jobs; it makes that file once it has a ledger.</param>
    // The ledger is looked for again: another process may be starting here for the first time.
    public static string? Find(StorageOptions storage, string jobs)
        => Database.MissingFile(storage) is { } file && File.Exists(jobs) && Database.MissingFile(storage) is not null ? Words(file, jobs) : null;

    private static string Words(string file, string jobs)
        => $"The database {file} is {(File.Exists(file) ? "empty" : "gone")}, where a server has run: its {jobs} is there. Put the file back, or a backup of it; or, if it was moved, set Storage:ConnectionString to where it is. "
            + $"To begin anew, without knowing who has unsubscribed and what was sent, stop every weeklydigest here and move all of {Path.GetDirectoryName(jobs)} away.";
}
