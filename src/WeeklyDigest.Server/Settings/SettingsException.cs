namespace WeeklyDigest.Server.Settings;

/// <summary>The settings cannot be used. The message lists every problem, each <c>Section:Key: what is wrong, what to do</c>; no secret.</summary>
/// <param name="problems">The problems, at least one.</param>
/// <param name="inner">The cause, or null.</param>
internal sealed class SettingsException(IReadOnlyList<string> problems, Exception? inner = null)
    : Exception(string.Join('\n', problems), inner)
{
    /// <summary>The problems in the order of the manual.</summary>
    public IReadOnlyList<string> Problems { get; } = problems;
}
