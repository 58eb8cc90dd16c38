using System.Net.Sockets;
using System.Text;

namespace WeeklyDigest.Tests.Inbox;

/// <summary>A client that says exactly what it is told, right or wrong.</summary>
internal sealed class RawSmtp : IAsyncDisposable
{
    private readonly TcpClient client = new();
    private StreamReader reader = StreamReader.Null;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Connects and reads the greeting.</summary>
    public static async Task<RawSmtp> ConnectAsync(int port)
    {
        var raw = new RawSmtp();
        await raw.client.ConnectAsync("127.0.0.1", port, Cancel);
        raw.client.NoDelay = true;
        raw.reader = new StreamReader(raw.client.GetStream(), Encoding.UTF8);
        await raw.ReadAsync();
        return raw;
    }

    /// <summary>Connects, says EHLO and names an envelope, ready for DATA.</summary>
    public static async Task<RawSmtp> ReadyForDataAsync(int port, string mailParameters = "")
    {
        var raw = await ConnectAsync(port);
        foreach (var command in new[] { "EHLO client.test", $"MAIL FROM:<digest@example.com>{mailParameters}", "RCPT TO:<reader@example.org>" })
        {
            Assert.StartsWith("250", await raw.SayAsync(command + "\r\n"), StringComparison.Ordinal);
        }

        return raw;
    }

    public async Task SendAsync(byte[] bytes) => await client.GetStream().WriteAsync(bytes, Cancel);

    /// <summary>Sends and reads one reply.</summary>
    public async Task<string> SayAsync(string text)
    {
        await SendAsync(Encoding.UTF8.GetBytes(text));
        return await ReadAsync();
    }

    /// <summary>Reads one reply, all its lines; empty when the server closed.</summary>
    public async Task<string> ReadAsync()
    {
        var lines = new List<string>();
        while (await reader.ReadLineAsync(Cancel).AsTask().WaitAsync(TimeSpan.FromSeconds(20), Cancel) is { } line)
        {
            lines.Add(line);
            if (line.Length < 4 || line[3] != '-')
            {
                break;
            }
        }

        return string.Join('\n', lines);
    }

    public ValueTask DisposeAsync()
    {
        client.Dispose();
        return ValueTask.CompletedTask;
    }
}
