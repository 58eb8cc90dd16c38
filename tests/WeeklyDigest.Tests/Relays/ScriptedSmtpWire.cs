using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace WeeklyDigest.Tests.Relays;

/// <summary>Lines and bodies over one connection. Replies wait until there is nothing left to read, so that pipelined commands get one packet back.</summary>
internal sealed class ScriptedSmtpWire(Socket socket) : IAsyncDisposable
{
    private readonly MemoryStream replies = new();
    private Stream stream = new NetworkStream(socket, ownsSocket: true);
    private byte[] buffer = new byte[64 * 1024];
    private int start;
    private int end;

    public bool Encrypted { get; private set; }

    /// <summary>Bytes that came and were not read yet.</summary>
    public int Buffered => end - start;

    public void Reply(string text)
    {
        foreach (var line in text.Split('\n'))
        {
            replies.Write(Encoding.UTF8.GetBytes(line + "\r\n"));
        }
    }

    public async Task FlushAsync(CancellationToken cancel)
    {
        if (replies.Length > 0)
        {
            await stream.WriteAsync(replies.GetBuffer().AsMemory(0, (int)replies.Length), cancel);
            replies.SetLength(0);
        }
    }

    /// <summary>The next line without its end, or null when the client closed.</summary>
    public async Task<string?> ReadLineAsync(CancellationToken cancel)
    {
        for (var searched = 0; ;)
        {
            var at = buffer.AsSpan(start + searched, Buffered - searched).IndexOf((byte)'\n');
            if (at >= 0)
            {
                var line = Encoding.UTF8.GetString(buffer, start, searched + at).TrimEnd('\r');
                start += searched + at + 1;
                return line;
            }

            searched = Buffered;
            if (!await FillAsync(cancel))
            {
                return null;
            }
        }
    }

    /// <summary>The message up to the final dot with dots unstuffed, or null when the client closed in the middle.</summary>
    public async Task<ReadOnlyMemory<byte>?> ReadBodyAsync(CancellationToken cancel)
    {
        // The CRLF that ended DATA counts as the one before the dot, so an empty message ends at once.
        for (var searched = 0; ;)
        {
            if (buffer.AsSpan(start, Buffered).StartsWith(".\r\n"u8))
            {
                start += 3;
                return ReadOnlyMemory<byte>.Empty;
            }

            var from = Math.Max(0, searched - 4);
            var at = buffer.AsSpan(start + from, Buffered - from).IndexOf("\r\n.\r\n"u8);
            if (at >= 0)
            {
                var body = Unstuff(buffer.AsSpan(start, from + at + 2));
                start += from + at + 5;
                return body;
            }

            searched = Buffered;
            if (!await FillAsync(cancel))
            {
                return null;
            }
        }
    }

    /// <summary>Exactly so many bytes, or null when the client closed before.</summary>
    public async Task<byte[]?> ReadExactlyAsync(int count, CancellationToken cancel)
    {
        while (Buffered < count)
        {
            if (!await FillAsync(cancel))
            {
                return null;
            }
        }

        var bytes = buffer.AsSpan(start, count).ToArray();
        start += count;
        return bytes;
    }

    /// <summary>Reads until the client closes.</summary>
    public async Task DrainAsync(CancellationToken cancel)
    {
        do
        {
            start = end = 0;
        }
        while (await FillAsync(cancel));
    }

    public async Task EncryptAsync(X509Certificate2 certificate, CancellationToken cancel)
    {
        await FlushAsync(cancel);
        var tls = new SslStream(stream, leaveInnerStreamOpen: false);
        stream = tls;
        await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, cancel);
        Encrypted = true;
    }

    public ValueTask DisposeAsync() => stream.DisposeAsync();

    private static ReadOnlyMemory<byte> Unstuff(ReadOnlySpan<byte> stuffed)
    {
        if (stuffed.IndexOf("\n.."u8) < 0 && !stuffed.StartsWith(".."u8))
        {
            return stuffed.ToArray();
        }

        var plain = new List<byte>(stuffed.Length);
        for (var i = 0; i < stuffed.Length; i++)
        {
            var isStuffing = stuffed[i] == '.' && (i == 0 || (stuffed[i - 1] == '\n' && i > 1 && stuffed[i - 2] == '\r'));
            if (!isStuffing)
            {
                plain.Add(stuffed[i]);
            }
        }

        return plain.ToArray();
    }

    private async Task<bool> FillAsync(CancellationToken cancel)
    {
        await FlushAsync(cancel);
        if (start > 0)
        {
            Buffer.BlockCopy(buffer, start, buffer, 0, Buffered);
            end -= start;
            start = 0;
        }

        if (end == buffer.Length)
        {
            Array.Resize(ref buffer, buffer.Length * 2);
        }

        var read = await stream.ReadAsync(buffer.AsMemory(end), cancel);
        end += read;
        return read > 0;
    }
}
