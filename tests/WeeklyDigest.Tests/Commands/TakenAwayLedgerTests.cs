using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Commands;

public sealed class TakenAwayLedgerTests
{
    [Theory]
    [InlineData("send", "week-1")]
    [InlineData("status")]
    public async Task A_ledger_that_was_taken_away_from_another_process_is_not_begun_anew(params string[] command)
    {
        using var workspace = new Workspace().WithWeek1().WithSubscribers(3);
        using var other = ProcessOwner.Take(workspace.PathOf("data"));

        var result = await workspace.RunHereAsync(command);

        Assert.Equal((1, ""), (result.ExitCode, result.Out));
        Assert.StartsWith($"The database is gone from its place, and a server or a send works with this installation (machine/process/mark: {other.Name}): it was moved or deleted under it.", result.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(workspace.DatabaseFile));
    }
}
