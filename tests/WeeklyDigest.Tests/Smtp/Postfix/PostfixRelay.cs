using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Tests.Smtp.Postfix;

/// <summary>
/// A real Postfix on loopback, of Debian's package, with its own folders and without any privilege: when the tests run as root, it is started as
/// nobody (uid 65534); otherwise as the user who runs them. It takes mail with STARTTLS or TLS after a login and delivers into one maildir.
/// </summary>
public sealed class PostfixRelay : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private PostfixFolder folder = null!;
    private Process master = null!;
    private int startTlsPort;
    private int tlsPort;

    /// <summary>Everything Postfix logged.</summary>
    public string Log => File.Exists(folder.Log) ? File.ReadAllText(folder.Log) : "";

    public async ValueTask InitializeAsync()
    {
        (startTlsPort, tlsPort) = (LoopbackPort.Free(), LoopbackPort.Free());
        folder = new PostfixFolder(startTlsPort, tlsPort);
        await folder.CreateAsync(CancellationToken.None);
        var daemons = System.Text.Encoding.UTF8.GetString(await Command.RunAsync("/usr/sbin/postconf", ["-dh", "daemon_directory"])).Trim();
        if (Environment.IsPrivilegedProcess) await Command.RunAsync("chown", ["-R", "65534:65534", folder.Root]);
        string[] asNobody = Environment.IsPrivilegedProcess ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [];
        // A session of its own: its processes can be told from all others, and ended by their ids.
        master = Command.Start(new ProcessStartInfo("setsid", [.. asNobody, "env", "LD_PRELOAD=" + folder.Shim, Path.Combine(daemons, "master"), "-c", folder.Configuration, "-d"]));
        await WaitAsync(() => Listens(startTlsPort) && Listens(tlsPort), "Postfix listens");
    }

    /// <summary>How to send through it.</summary>
    internal RelayOptions Options(RelaySecurity security) => new()
    {
        Name = "postfix",
        Host = "localhost",
        Port = security == RelaySecurity.Tls ? tlsPort : startTlsPort,
        Security = security,
        Username = PostfixFolder.Username,
        Password = PostfixFolder.Password,
        TrustedCertificates = folder.Authority,
    };

    /// <summary>The message delivered to a recipient, as it lies in the maildir.</summary>
    public async Task<byte[]> DeliveredAsync(string recipient)
    {
        byte[]? found = null;
        await WaitAsync(() => (found = Delivered().FirstOrDefault(message => IsFor(message, recipient))) is not null, $"a message for {recipient}");
        return found!;
    }

    /// <summary>All messages in the maildir.</summary>
    public IReadOnlyList<byte[]> Delivered()
        => Directory.Exists(folder.NewMail) ? [.. Directory.EnumerateFiles(folder.NewMail).Select(File.ReadAllBytes)] : [];

    public async ValueTask DisposeAsync()
    {
        if (master is not null)
        {
            await StopAsync();
            master.Dispose();
        }
        if (folder is not null) Directory.Delete(folder.Root, recursive: true);
    }

    /// <summary>Ends the master, which ends its daemons; whoever is left after that is killed.</summary>
    public async Task StopAsync()
    {
        if (!master.HasExited) await Command.RunAsync("kill", ["-TERM", master.Id.ToString(CultureInfo.InvariantCulture)]);
        await master.WaitForExitAsync().WaitAsync(Limit, TimeProvider.System);
        var started = TimeProvider.System.GetTimestamp();
        while (Processes() is { Count: > 0 } left)
        {
            if (TimeProvider.System.GetElapsedTime(started) > TimeSpan.FromSeconds(5))
                foreach (var id in left) await Command.RunAsync("kill", ["-KILL", id.ToString(CultureInfo.InvariantCulture)]);
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }

    /// <summary>The processes of the master's session that run; those that only wait to be buried are over.</summary>
    public IReadOnlyList<int> Processes()
    {
        List<int> ids = [];
        foreach (var path in Directory.EnumerateDirectories("/proc").Where(path => char.IsAsciiDigit(Path.GetFileName(path)[0])))
        {
            try
            {
                var stat = File.ReadAllText(Path.Combine(path, "stat"));
                // "pid (name) state parent group session": the name may hold anything.
                var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                if (fields[0] is not ("Z" or "X") && fields[3] == master.Id.ToString(CultureInfo.InvariantCulture)) ids.Add(int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture));
            }
            catch (IOException)
            {
                // The process ended while we looked.
            }
        }
        return ids;
    }

    private static bool IsFor(byte[] message, string recipient)
        => System.Text.Encoding.UTF8.GetString(message).Contains($"\nX-Original-To: {recipient}\n", StringComparison.Ordinal);

    private async Task WaitAsync(Func<bool> condition, string expected)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (master.HasExited || TimeProvider.System.GetElapsedTime(started) > Limit)
                throw new TimeoutException($"Not within {Limit}: {expected}. Postfix's log:\n{Log}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }

    private static bool Listens(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
