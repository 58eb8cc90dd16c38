using System.ComponentModel;
using System.Diagnostics;

namespace WeeklyDigest.Tests.Smtp.Postfix;

/// <summary>Runs a program of the system to its end.</summary>
internal static class Command
{
    /// <summary>Runs it.</summary>
    /// <param name="file">Path or name.</param>
    /// <param name="arguments">Arguments, as they are.</param>
    /// <param name="input">Standard input.</param>
    /// <param name="home">Its home folder, or null for ours.</param>
    /// <param name="cancel">Gives up waiting.</param>
    /// <returns>Standard output.</returns>
    /// <exception cref="InvalidOperationException">The program is missing, or failed; the message has what it said.</exception>
    public static async Task<byte[]> RunAsync(string file, string[] arguments, ReadOnlyMemory<byte> input = default, string? home = null, CancellationToken cancel = default)
    {
        var start = new ProcessStartInfo(file, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        if (home is not null) start.Environment["HOME"] = home;
        using var process = Start(start);
        using var output = new MemoryStream();
        var reading = process.StandardOutput.BaseStream.CopyToAsync(output, cancel);
        var complaints = process.StandardError.ReadToEndAsync(cancel);
        await process.StandardInput.BaseStream.WriteAsync(input, cancel);
        process.StandardInput.Close();
        await reading;
        await process.WaitForExitAsync(cancel);
        return process.ExitCode == 0
            ? output.ToArray()
            : throw new InvalidOperationException($"{file} {string.Join(' ', arguments)} failed with {process.ExitCode}: {await complaints}");
    }

    /// <summary>Starts it; a program that is missing is named with what to install.</summary>
    public static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception missing)
        {
            throw new InvalidOperationException($"{start.FileName} is missing; tests/debian-packages.txt lists what the tests need.", missing);
        }
    }
}
