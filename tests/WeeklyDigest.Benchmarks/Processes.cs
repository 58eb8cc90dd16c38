using System.Diagnostics;

namespace WeeklyDigest.Benchmarks;

/// <summary>Other programs, run to their end.</summary>
internal static class Processes
{
    /// <summary>Runs one; both streams of the start information have to be redirected.</summary>
    /// <returns>What it printed.</returns>
    /// <exception cref="InvalidOperationException">It failed; says what it wrote to stderr.</exception>
    public static async Task<string> RunAsync(ProcessStartInfo start)
    {
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{start.FileName} did not start.");
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{start.FileName} ended with {process.ExitCode}: {await errors}{output}");
    }

    /// <summary>Runs one with arguments.</summary>
    public static Task<string> RunAsync(string program, params string[] arguments)
        => RunAsync(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true });
}
