namespace WeeklyDigest.Server.Commands;

/// <summary>An end that was asked for and could not be in good order in time: told once, by whoever finds it out first.</summary>
internal sealed class LateEnd
{
    /// <summary>What is said of it.</summary>
    public const string Words = "It could not end in good order within ten seconds. It ends at once, and what it waited for is not done; the next start settles what was under way.";

    private int isTold;

    /// <summary>Whether nobody has told it yet; the one who asks does then.</summary>
    public bool IsNews() => Interlocked.Exchange(ref isTold, 1) == 0;
}
