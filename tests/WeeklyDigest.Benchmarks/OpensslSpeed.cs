using System.Diagnostics;
using System.Globalization;

namespace WeeklyDigest.Benchmarks;

/// <summary>What the machine can sign at all: OpenSSL's own benchmark, a process for each processor, doing nothing else.</summary>
internal static class OpensslSpeed
{
    /// <summary>RSA-2048 signatures per second.</summary>
    public static async Task<double> SignaturesAsync()
    {
        var start = new ProcessStartInfo("openssl", ["speed", "-seconds", "5", "-multi", Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture), "rsa2048"])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        var output = await Processes.RunAsync(start);
        // rsa 2048 bits 0.000227s 0.000007s   4400.1 145000.0
        var line = output.Split('\n').Last(line => line.StartsWith("rsa 2048 bits", StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[5], CultureInfo.InvariantCulture);
    }
}
