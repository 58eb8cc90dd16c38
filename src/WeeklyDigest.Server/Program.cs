using System.Collections;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Extensions.Logging.Console;
using WeeklyDigest.Server;
using WeeklyDigest.Server.Commands;

// The only place that touches the process itself: its streams, signals, environment and current folder.
NativeHeap.KeepLittle();
using var stopping = new CancellationTokenSource();
var isAsked = 0;
var lateEnd = new LateEnd();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var quit = PosixSignalRegistration.Create(PosixSignal.SIGQUIT, Stop);
using var hangUp = HangUp.IsIgnored ? null : PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);
await using var standardOutput = new StandardStream(Console.OpenStandardOutput());
await using var output = new ResultOutput(standardOutput, isTerminal: !Console.IsOutputRedirected);
// The log writes there as well.
Console.SetError(new StreamWriter(new StandardStream(Console.OpenStandardError()), new UTF8Encoding(false)) { AutoFlush = true });

var code = await CommandLine.RunAsync(args, new CommandHost
{
    Out = output.Writer,
    BeginRows = output.BeginRows,
    Error = Console.Error,
    In = Console.In,
    InIsTerminal = !Console.IsInputRedirected,
    OutIsTerminal = !Console.IsOutputRedirected,
    Environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
        .ToDictionary(pair => (string)pair.Key, pair => (string?)pair.Value ?? "", StringComparer.Ordinal),
    Directory = Environment.CurrentDirectory,
    Stopping = stopping.Token,
    LateEnd = lateEnd,
    ConfigureLogging = logging => logging
        .AddSimpleConsole(console => (console.SingleLine, console.ColorBehavior) = (true, LoggerColorBehavior.Disabled))
        .Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace),
});
if (standardOutput.Trouble is not { } trouble) return code;
await Console.Error.WriteLineAsync($"Standard output cannot be written: {trouble.TrimEnd('.')}. The command went on without it.");
return code == CommandLine.Done ? CommandLine.Failed : code;

// The first signal drains: what is on the wire is finished. The second is the runtime's own and ends the process at once; but a session that
// is lost may say so several times, and with SIGTERM beside it.
void Stop(PosixSignalContext context)
{
    if (context.Signal != PosixSignal.SIGHUP && Interlocked.Exchange(ref isAsked, 1) == 1) return;
    context.Cancel = true;
    if (stopping.IsCancellationRequested) return;
    new Thread(EndInTime) { IsBackground = true }.Start();
    var saying = Say("Stopping: finishing what is on the wire. Once more stops at once.");
    stopping.Cancel();
    saying.Join(TimeSpan.FromMilliseconds(250));
}

// What blocks in the database, for a minute at worst, does not hold up the end: dying is safe at any moment. On a thread of its own, since a timer's work
// waits for one of the pool's, and these may all be blocked there.
void EndInTime()
{
    using var never = new ManualResetEventSlim();
    never.Wait(TimeSpan.FromSeconds(9.5));
    if (lateEnd.IsNews()) Say(LateEnd.Words).Join(TimeSpan.FromMilliseconds(250));
    HardExit.Now(CommandLine.Failed);
}

// Whoever reads stderr may have stopped doing so, and a pipe that is full takes nothing more: the end does not wait for that.
static Thread Say(string words)
{
    var saying = new Thread(() => Console.Error.WriteLine(words)) { IsBackground = true };
    saying.Start();
    return saying;
}
