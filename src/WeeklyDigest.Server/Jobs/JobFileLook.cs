using Hangfire.Storage.SQLite;

namespace WeeklyDigest.Server.Jobs;

/// <summary>The look at jobs.db, which only our own job storage has: with the package in its place this file is left out.</summary>
internal static partial class JobSetup
{
    static partial void LookAt(string file, TimeSpan patience, TimeProvider time) => SQLiteStorageCheck.Run(file, patience, time);
}
