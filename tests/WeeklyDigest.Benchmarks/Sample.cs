using System.Globalization;

namespace WeeklyDigest.Benchmarks;

/// <summary>What a process had used at one moment.</summary>
/// <param name="At">The moment.</param>
/// <param name="Resident">Resident memory in bytes.</param>
/// <param name="Allocated">Bytes allocated since the start.</param>
/// <param name="Processor">User and system time since the start.</param>
/// <param name="Paused">Time the garbage collector stopped everything.</param>
internal sealed record Sample(DateTimeOffset At, long Resident, long Allocated, TimeSpan Processor, TimeSpan Paused)
{
    /// <summary>The environment variable with the path of the file that samples are written to.</summary>
    public const string FileVariable = "WEEKLYDIGEST_SAMPLES";

    /// <summary>This process, now.</summary>
    public static Sample Now() => new(
        TimeProvider.System.GetUtcNow(),
        Environment.WorkingSet,
        GC.GetTotalAllocatedBytes(),
        Environment.CpuUsage.TotalTime,
        GC.GetTotalPauseDuration());

    /// <summary>All samples of a file.</summary>
    public static IReadOnlyList<Sample> ReadAll(string path) => [.. File.ReadLines(path).Select(Parse)];

    /// <summary>The sample as a line of a file.</summary>
    public string ToLine() => FormattableString.Invariant($"{At:O} {Resident} {Allocated} {Processor.Ticks} {Paused.Ticks}");

    private static Sample Parse(string line)
    {
        var words = line.Split(' ');
        var numbers = words.Skip(1).Select(word => long.Parse(word, CultureInfo.InvariantCulture)).ToList();
        return new Sample(
            DateTimeOffset.Parse(words[0], CultureInfo.InvariantCulture), numbers[0], numbers[1], TimeSpan.FromTicks(numbers[2]), TimeSpan.FromTicks(numbers[3]));
    }
}
