using System.Globalization;
using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Server;

/// <summary>Tells editors on pages why nothing is sent while the database cannot be used.</summary>
internal static class LedgerWords
{
    /// <summary>Since when, why, and what becomes of it.</summary>
    public static string Describe(LedgerTrouble trouble) => string.Create(
        CultureInfo.InvariantCulture,
        $"The database has not been usable since {trouble.Since:d MMM yyyy HH:mm:ss} UTC: {trouble.Words.TrimEnd()} {Then(trouble)}");

    private static string Then(LedgerTrouble trouble) => trouble.NeedsRestart
        ? "Nothing is sent until then."
        : "Nothing is sent meanwhile, and nothing is lost: sending goes on by itself as soon as the database can be used, and nothing has to be started again.";
}
