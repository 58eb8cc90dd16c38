using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace WeeklyDigest.Benchmarks.Sinks;

/// <summary>What a sink received.</summary>
/// <param name="Messages">Messages.</param>
/// <param name="Recipients">Recipients.</param>
/// <param name="Different">How many different recipients; null when the sink does not tell.</param>
internal sealed record SinkCounts(long Messages, long Recipients, long? Different);

/// <summary>Which sink.</summary>
/// <param name="Program">Another than ours, or null.</param>
/// <param name="Plain">Announce neither PIPELINING nor CHUNKING.</param>
internal sealed record SinkKind(string? Program, bool Plain)
{
    public static SinkKind Ours { get; } = new(null, Plain: false);
}

/// <summary>A sink while it runs: ours, or another program that understands <c>-p PORT</c> and prints its counts to stderr at SIGTERM.</summary>
internal sealed class SinkProcess : IDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);
    private readonly Process process;

    private SinkProcess(Process process, int port) => (this.process, Port) = (process, port);

    public int Port { get; }

    /// <summary>User and system time it has used so far.</summary>
    public TimeSpan Processor
    {
        get
        {
            process.Refresh();
            return process.TotalProcessorTime;
        }
    }

    /// <summary>Starts one on a free port and waits until it listens.</summary>
    /// <param name="kind">Which sink.</param>
    /// <param name="delay">What our sink takes for each answer.</param>
    public static async Task<SinkProcess> StartAsync(SinkKind kind, TimeSpan delay = default)
    {
        var port = FreePort();
        string[] arguments = ["-p", port.ToString(CultureInfo.InvariantCulture), .. kind.Plain ? ["-x"] : Array.Empty<string>()];
        var start = kind.Program is null
            ? new ProcessStartInfo(Self(), ["sink", .. arguments, "-w", delay.TotalMilliseconds.ToString("f0", CultureInfo.InvariantCulture)])
            : new ProcessStartInfo(kind.Program, arguments);
        start.RedirectStandardError = true;
        var sink = new SinkProcess(Process.Start(start) ?? throw new InvalidOperationException("The sink did not start."), port);
        while (!await IsListeningAsync(port))
        {
            if (sink.process.HasExited) throw new InvalidOperationException("The sink ended: " + await sink.process.StandardError.ReadToEndAsync());
            await Task.Delay(Look, TimeProvider.System);
        }
        return sink;
    }

    /// <summary>Ends it.</summary>
    public async Task<SinkCounts> StopAsync()
    {
        await Processes.RunAsync("kill", "-TERM", process.Id.ToString(CultureInfo.InvariantCulture));
        var words = (await process.StandardError.ReadToEndAsync()).Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        await process.WaitForExitAsync();
        var counts = words.Where(word => word.Contains('=', StringComparison.Ordinal)).Select(word => word.Split('='))
            .ToDictionary(pair => pair[0], pair => long.Parse(pair[1], CultureInfo.InvariantCulture));
        return new SinkCounts(counts["msgs"], counts["rcpts"], counts.TryGetValue("distinct", out var different) ? different : null);
    }

    public void Dispose()
    {
        if (!process.HasExited) process.Kill();
        process.Dispose();
    }

    // Beside the assembly; the process itself may be `dotnet`.
    private static string Self() => Path.ChangeExtension(typeof(SinkProcess).Assembly.Location, OperatingSystem.IsWindows() ? ".exe" : null);

    private static async Task<bool> IsListeningAsync(int port)
    {
        using var probe = new TcpClient();
        try
        {
            await probe.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
