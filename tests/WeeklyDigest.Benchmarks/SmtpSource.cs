using System.Diagnostics;
using System.Globalization;

namespace WeeklyDigest.Benchmarks;

/// <summary>Postfix's own load generator (Debian package postfix): the pace to compare with. It keeps no ledger and personalises nothing.</summary>
internal static class SmtpSource
{
    /// <summary>Sends a message so many times.</summary>
    /// <param name="message">The file with the message.</param>
    /// <param name="messages">How often.</param>
    /// <param name="sessions">Over so many sessions at once.</param>
    /// <param name="port">To this port of the machine.</param>
    /// <returns>How long it took.</returns>
    public static async Task<TimeSpan> RunAsync(string message, int messages, int sessions, int port)
    {
        var clock = Stopwatch.StartNew();
        await Processes.RunAsync(
            "smtp-source", "-d", "-N", "-s", Text(sessions), "-m", Text(messages), "-f", "digest@digest.example", "-t", "@reader.example", "-F", message, $"127.0.0.1:{port}");
        return clock.Elapsed;
    }

    /// <summary>Writes a message as smtp-source wants it: it adds the carriage returns itself.</summary>
    public static async Task<string> PrepareAsync(string message)
    {
        var file = message + ".lf";
        await File.WriteAllTextAsync(file, (await File.ReadAllTextAsync(message)).Replace("\r\n", "\n", StringComparison.Ordinal));
        return file;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
