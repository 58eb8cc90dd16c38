using System.CommandLine;
using System.Runtime.InteropServices;

namespace WeeklyDigest.Benchmarks.Sinks;

/// <summary>The sink as a process of its own, so that its time is counted apart from the sender's.</summary>
internal static class SinkCommand
{
    public static Command Create()
    {
        var port = new Option<int>("-p") { Description = "The port on 127.0.0.1." };
        var plain = new Option<bool>("-x") { Description = "Announce neither PIPELINING nor CHUNKING." };
        var delay = new Option<int>("-w") { Description = "Wait so many milliseconds before each answer." };
        var command = new Command("sink", "Receives as fast as it can, keeps nothing, and tells its counts at SIGTERM.") { port, plain, delay };
        command.SetAction(parsed => RunAsync(parsed.GetValue(port), parsed.GetValue(plain), parsed.GetValue(delay)));
        return command;
    }

    private static async Task RunAsync(int port, bool plain, int delay)
    {
        using var sink = new SmtpSink(port, plain, delay);
        var told = new TaskCompletionSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
        {
            signal.Cancel = true;
            told.TrySetResult();
        });
        sink.Start();
        await told.Task;
        await Console.Error.WriteLineAsync(sink.Counts());
    }
}
