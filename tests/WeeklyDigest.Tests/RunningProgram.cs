using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace WeeklyDigest.Tests;

/// <summary>What a command did.</summary>
internal sealed record CommandResult(int ExitCode, string Out, string Error)
{
    /// <summary>What it said on stderr, without the notice that the database takes long to open: a machine that is busy with other tests brings that about.</summary>
    public string Error { get; } = string.Concat(Error.Split('\n').SkipWhile(line => line.StartsWith("Opening the database takes long", StringComparison.Ordinal)).Select((line, at) => at == 0 ? line : "\n" + line));

    public override string ToString() => $"exit code {ExitCode}\n--- stdout\n{Out}\n--- stderr\n{Error}";
}

/// <summary>A process of the program that a test started.</summary>
internal sealed class RunningProgram : IDisposable
{
    private const int SigHup = 1;
    private const int SigInt = 2;
    private const int SigQuit = 3;
    private const int SigTerm = 15;
    private const int SigCont = 18;
    private const int SigStop = 19;
    private readonly Process process;
    private readonly StringBuilder output = new();
    private readonly StringBuilder errors = new();

    public RunningProgram(ProcessStartInfo start)
    {
        process = new Process { StartInfo = start, EnableRaisingEvents = true };
        process.OutputDataReceived += (_, line) => Append(output, line.Data);
        process.ErrorDataReceived += (_, line) => Append(errors, line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Its process id.</summary>
    public int Id => process.Id;

    /// <summary>Sends it a text on stdin.</summary>
    public async Task TypeAsync(string text)
    {
        await process.StandardInput.WriteAsync(text);
        await process.StandardInput.FlushAsync();
    }

    /// <summary>What it printed so far.</summary>
    public string Out => Snapshot(output);

    /// <summary>What it wrote to stderr so far.</summary>
    public string Error => Snapshot(errors);

    /// <summary>Waits until it has printed a text, and fails with all it printed when it ends before or the limit passes.</summary>
    public async Task<string> PrintedAsync(string text, TimeSpan? limit = null)
    {
        var clock = Stopwatch.StartNew();
        while (!Out.Contains(text, StringComparison.Ordinal))
        {
            if (process.HasExited || clock.Elapsed > (limit ?? TimeSpan.FromMinutes(1)))
                Assert.Fail($"'{text}' was not printed.\n--- stdout\n{Out}\n--- stderr\n{Error}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
        return Out;
    }

    /// <summary>Waits for its end.</summary>
    public async Task<CommandResult> EndAsync(TimeSpan limit)
    {
        using var deadline = new CancellationTokenSource(limit);
        try
        {
            await process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            Kill();
            Assert.Fail($"Still running after {limit}.\n--- stdout\n{Out}\n--- stderr\n{Error}");
        }
        return new CommandResult(process.ExitCode, Out, Error);
    }

    /// <summary>kill -9.</summary>
    public void Kill()
    {
        if (!process.HasExited) process.Kill();
    }

    /// <summary>Ctrl-C.</summary>
    public void Interrupt() => Assert.Equal(0, Signal(process.Id, SigInt));

    /// <summary>What a service manager sends first.</summary>
    public void Terminate() => Assert.Equal(0, Signal(process.Id, SigTerm));

    /// <summary>Ctrl-\, and what some service managers send.</summary>
    public void Quit() => Assert.Equal(0, Signal(process.Id, SigQuit));

    /// <summary>The session it was started from is lost.</summary>
    public void HangUp() => Assert.Equal(0, Signal(process.Id, SigHup));

    /// <summary>Stops it where it is, as a debugger or a suspended machine does.</summary>
    public void Pause() => Assert.Equal(0, Signal(process.Id, SigStop));

    /// <summary>Lets it go on.</summary>
    public void Continue() => Assert.Equal(0, Signal(process.Id, SigCont));

    public void Dispose()
    {
        try
        {
            Kill();
            process.WaitForExit();
        }
        catch (InvalidOperationException)
        {
            // Disposed before.
        }
        process.Dispose();
    }

    private static void Append(StringBuilder target, string? line)
    {
        if (line is null) return;
        lock (target) target.Append(line).Append('\n');
    }

    private static string Snapshot(StringBuilder source)
    {
        lock (source) return source.ToString();
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Signal(int process, int signal);
}
