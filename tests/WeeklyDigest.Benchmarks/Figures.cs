namespace WeeklyDigest.Benchmarks;

/// <summary>What several rounds come to.</summary>
internal static class Figures
{
    /// <summary>The middle one, or the mean of the two in the middle.</summary>
    public static double Median(this IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }

    /// <summary>A line that does not depend on the language of the machine.</summary>
    public static void Print(FormattableString line) => Console.WriteLine(FormattableString.Invariant(line));
}
