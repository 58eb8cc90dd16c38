using System.Globalization;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>What a send takes of the machine does not grow with the list. (The benchmark `memory` measures the shipped build with a million.)</summary>
public sealed class MemoryTests
{
    private const long Most = 180L << 20;

    [Fact]
    public async Task A_send_keeps_neither_the_compiler_nor_the_list_in_memory()
    {
        var recipients = Scale.Of(1_000, 100_000);
        await using var relay = ScriptedSmtpServer.Start(_ => SmtpMove.Accept);
        using var workspace = new Workspace().WithWeek1().WithSubscribers(recipients).UseRelay(relay.Port, 16);
        using var samples = new TemporaryFolder();
        workspace.Environment["DOTNET_STARTUP_HOOKS"] = typeof(StartupHook).Assembly.Location;
        workspace.Environment[StartupHook.FolderVariable] = samples.Path;
        var result = await workspace.RunAsync("send", "week-1");
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal(recipients, relay.AcceptedCount);
        var send = Directory.GetFiles(samples.Path).Select(File.ReadAllLines).Single(lines => lines[0] == "send");
        Assert.InRange(long.Parse(send[1], CultureInfo.InvariantCulture), 1, Most);
    }
}
