using System.Collections;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Extensions.Logging.Console;
using WeeklyDigest.Server;
using WeeklyDigest.Server.Commands;

// The only place that touches the process itself: its streams, signals, environment and current folder.
NativeHeap.KeepLittle();
using var stopping = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
await using var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false), 32 * 1024) { AutoFlush = !Console.IsOutputRedirected };

return await CommandLine.RunAsync(args, new CommandHost
{
    Out = TextWriter.Synchronized(output),
    Error = Console.Error,
    In = Console.In,
    InIsTerminal = !Console.IsInputRedirected,
    OutIsTerminal = !Console.IsOutputRedirected,
    Environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
        .ToDictionary(pair => (string)pair.Key, pair => (string?)pair.Value ?? "", StringComparer.Ordinal),
    Directory = Environment.CurrentDirectory,
    Stopping = stopping.Token,
    ConfigureLogging = logging => logging
        .AddSimpleConsole(console => (console.SingleLine, console.ColorBehavior) = (true, LoggerColorBehavior.Disabled))
        .Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace),
});

// The first signal drains: what is on the wire is finished. The second is the runtime's own and ends the process at once.
void Stop(PosixSignalContext context)
{
    if (stopping.IsCancellationRequested) return;
    context.Cancel = true;
    Console.Error.WriteLine("Stopping: finishing what is on the wire. Once more stops at once.");
    stopping.Cancel();
}
