namespace WeeklyDigest.Publishing;

/// <summary>Words about what one machine has met, for readers who look at several.</summary>
internal static class Blamed
{
    /// <summary>The words, with the machine's name in front; as they are when there is only one, and it is null.</summary>
    public static string On(string? machine, string words) => machine is null ? words : $"On {machine}: {words}";
}
