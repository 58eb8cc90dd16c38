using System.Collections.Concurrent;

namespace WeeklyDigest.Audience;

/// <summary>Reads on another thread, a little ahead of who uses what is read: a list is checked while what was checked before goes to the database.</summary>
internal static class ReadAhead
{
    private const int PortionSize = 500;
    private const int Portions = 8;

    /// <summary>The same items, in the same order; what reading them throws comes through after those before.</summary>
    /// <remarks>At most some thousand items are ahead. When this ends, also early, nothing is read any more.</remarks>
    public static IEnumerable<T> Of<T>(IEnumerable<T> items)
    {
        using var stop = new CancellationTokenSource();
        using var ahead = new BlockingCollection<T[]>(Portions);
        var reading = Task.Run(() => Read(items, ahead, stop.Token));
        try
        {
            foreach (var item in ahead.GetConsumingEnumerable().SelectMany(portion => portion)) yield return item;
            reading.GetAwaiter().GetResult();
        }
        finally
        {
            stop.Cancel();
            Task.WaitAny(reading);
        }
    }

    private static void Read<T>(IEnumerable<T> items, BlockingCollection<T[]> ahead, CancellationToken stop)
    {
        try
        {
            foreach (var portion in items.Chunk(PortionSize)) ahead.Add(portion, stop);
        }
        finally
        {
            ahead.CompleteAdding();
        }
    }
}
