using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Commands;

/// <summary>What became of an issue since it was published, in words: at the terminal and on the dashboard.</summary>
internal static class FileWords
{
    /// <summary>Of an issue that is another by now.</summary>
    public const string HasChanged = "has changed since it was published";

    private const string Frozen = "what goes out is what was published.";

    /// <summary>What became of it, after the name and a colon.</summary>
    public static string Describe(FileChange change) => change switch
    {
        FileChange.Changed => $"{HasChanged}; {Frozen}",
        FileChange.HasErrors => $"has errors now; {Frozen}",
        FileChange.Gone => $"its file is gone; {Frozen}",
        _ => "",
    };

    /// <summary>As a line of the terminal: the issue, what became of it, and the command that helps.</summary>
    public static string Line(Mailing mailing, FileChange change) => $"{mailing.Issue}: {Describe(change)}{InCommands(mailing, change)}";

    /// <summary>As a sentence beside the name, with the command that helps.</summary>
    public static string Sentence(Mailing mailing, FileChange change) => Begin(change) + InCommands(mailing, change);

    /// <summary>As a sentence beside the name on the dashboard, with the button that helps.</summary>
    public static string OnDashboard(Mailing mailing, FileChange change) => Begin(change) + Help(mailing, change, "Change time… gives it another time and", "Cancel…");

    private static string Begin(FileChange change) => Describe(change) is var words && change == FileChange.Gone ? "I" + words[1..] : "It " + words;

    private static string InCommands(Mailing mailing, FileChange change)
        => Help(mailing, change, $"`weeklydigest send {mailing.Issue} --at TIME` with another time", $"`weeklydigest cancel {mailing.Issue}`");

    // An issue is sent once: what was cancelled is not published again under its name.
    private static string Help(Mailing mailing, FileChange change, string another, string cancel) => (mailing.CanBeRescheduled, change) switch
    {
        (true, FileChange.Changed) => $" {another} takes it as it is now.",
        (true, FileChange.HasErrors) => $" Once they are mended, {another} takes it as it is then.",
        (true, FileChange.Gone) => $" Once it is back, {another} takes it as it is then.",
        (false, FileChange.Changed) when !mailing.IsOver => $" To send it as it is now: {cancel}, and then send it under another name.",
        _ => "",
    };
}
