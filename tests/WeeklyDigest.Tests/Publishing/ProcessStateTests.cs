using System.Diagnostics;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Publishing;

public sealed class ProcessStateTests
{
    [Fact]
    public async Task A_process_is_stopped_from_the_signal_until_it_is_let_go_on()
    {
        using var process = Process.Start("sleep", "600");
        try
        {
            Assert.False(ProcessState.IsStopped(process.Id));
            await SignalAsync("STOP", process);
            await Eventually.HoldsAsync(() => ProcessState.IsStopped(process.Id), "it is stopped");
            await SignalAsync("CONT", process);
            await Eventually.HoldsAsync(() => !ProcessState.IsStopped(process.Id), "it goes on");
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
        Assert.False(ProcessState.IsStopped(process.Id));
    }

    private static async Task SignalAsync(string signal, Process process)
    {
        using var kill = Process.Start("kill", ["-" + signal, process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, kill.ExitCode);
    }
}
