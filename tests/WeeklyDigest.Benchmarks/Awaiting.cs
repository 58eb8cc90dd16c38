using WeeklyDigest.Publishing;

namespace WeeklyDigest.Benchmarks;

/// <summary>Looks again and again at what a kill -9 at that moment would leave uncertain: messages that had left and whose answer was not noted.</summary>
internal static class Awaiting
{
    // A look costs a quarter of a millisecond of the processor that is being measured.
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(40);

    /// <summary>Looks from a process's start to its end.</summary>
    /// <param name="locks">The folder of its lock file.</param>
    /// <param name="life">The process.</param>
    /// <returns>How many there were at each moment.</returns>
    public static async Task<IReadOnlyList<int>> LookAsync(string locks, Task life)
    {
        List<int> counts = [];
        while (await Task.WhenAny(life, Task.Delay(Interval, TimeProvider.System)) != life) counts.Add(Count(locks));
        return counts;
    }

    private static int Count(string locks)
    {
        if (!Directory.Exists(locks)) return 0;
        return Directory.EnumerateFiles(locks).Sum(path =>
        {
            try
            {
                // It is locked for as long as its process lives: this program takes no locks (System.IO.DisableFileLocking).
                using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
                return Handovers.Read(file)?.Awaiting ?? 0;
            }
            catch (FileNotFoundException)
            {
                return 0;
            }
        });
    }
}
