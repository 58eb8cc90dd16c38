namespace Hangfire.Storage.SQLite.Database;

/// <summary>Hangfire's ranges, whose ends are both inside, as SQL counts them.</summary>
internal static class PageSize
{
    /// <summary>How many items stand from one position to another; 0 when the end is before the beginning.</summary>
    public static long Of(int from, int to) => Math.Max(0, (long)to - from + 1);
}
