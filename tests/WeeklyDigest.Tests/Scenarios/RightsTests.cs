using System.Runtime.Versioning;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>Files whose modes keep this user out. Modes do not bind root, so commands of root are started without what makes it so.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class RightsTests : IDisposable
{
    private const UnixFileMode Read = UnixFileMode.UserRead;

    private readonly Workspace workspace = new Workspace().WithWeek1().WithSubscribers(2);

    public RightsTests()
    {
        if (Environment.IsPrivilegedProcess) workspace.Through = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];
    }

    public void Dispose() => workspace.Dispose();

    [Fact]
    public async Task A_mailing_that_is_finished_ends_send_also_on_a_ledger_that_cannot_be_written()
    {
        Assert.Equal(0, (await workspace.RunAsync("send", "week-1")).ExitCode);
        File.SetUnixFileMode(workspace.DatabaseFile, Read);
        var again = await workspace.RunAsync("send", "week-1");
        Assert.Equal((0, ""), (again.ExitCode, again.Error));
        Assert.Contains(": nothing is left to send.\n", again.Out.ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }
}
