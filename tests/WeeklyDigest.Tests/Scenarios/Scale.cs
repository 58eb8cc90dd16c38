namespace WeeklyDigest.Tests.Scenarios;

/// <summary>How large a scenario is: small in the ordinary run, as large as promised with WEEKLYDIGEST_SCALE=full.</summary>
internal static class Scale
{
    /// <summary>Whether the promised sizes are asked for.</summary>
    public static bool IsFull { get; } = Environment.GetEnvironmentVariable("WEEKLYDIGEST_SCALE") == "full";

    /// <summary>The size for this run.</summary>
    public static T Of<T>(T ordinary, T full) => IsFull ? full : ordinary;
}
