using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace WeeklyDigest.Tests.Commands.Doctor;

/// <summary>A real name server on 127.0.0.1, over UDP and TCP, that knows TXT records a test gives it; or that misbehaves.</summary>
internal sealed class TestDns : IAsyncDisposable
{
    private readonly CancellationTokenSource ending = new();
    private readonly Socket udp;
    private readonly TcpListener tcp;
    private readonly Task serving;
    private int questions;

    public TestDns()
    {
        (udp, tcp) = Listen();
        Server = (IPEndPoint)udp.LocalEndPoint!;
        serving = Task.WhenAll(ServeUdpAsync(), ServeTcpAsync());
    }

    public IPEndPoint Server { get; }

    /// <summary>Texts by name.</summary>
    public Dictionary<string, string[]> Texts { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Takes a right answer and whether it goes over TCP, and makes of it what is sent; null sends nothing.</summary>
    public Func<byte[], bool, byte[]?> Twist { get; set; } = (answer, _) => answer;

    /// <summary>Takes a right answer and makes what is sent before it, over UDP.</summary>
    public Func<byte[], byte[][]> Before { get; set; } = _ => [];

    /// <summary>Questions asked so far.</summary>
    public int Questions => Volatile.Read(ref questions);

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        udp.Dispose();
        tcp.Dispose();
        await serving;
        ending.Dispose();
    }

    // A port that is free for UDP may be somebody's for TCP.
    private static (Socket Udp, TcpListener Tcp) Listen()
    {
        while (true)
        {
            var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            udp.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            var tcp = new TcpListener((IPEndPoint)udp.LocalEndPoint!);
            try
            {
                tcp.Start();
                return (udp, tcp);
            }
            catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                udp.Dispose();
                tcp.Dispose();
            }
        }
    }

    private async Task ServeUdpAsync()
    {
        var buffer = new byte[4096];
        while (!ending.IsCancellationRequested)
        {
            try
            {
                var received = await udp.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), ending.Token);
                var answer = Answer(buffer.AsSpan(0, received.ReceivedBytes));
                // Too long for UDP: only the header and the question, marked as cut off (RFC 1035 section 4.1.1).
                if (answer.Length > 512) answer = [.. answer.AsSpan(0, 2), 0x83, 0x80, 0, 1, 0, 0, 0, 0, 0, 0, .. Question(buffer)];
                foreach (var noise in Before(answer)) await udp.SendToAsync(noise, received.RemoteEndPoint, ending.Token);
                if (Twist(answer, false) is { } sent) await udp.SendToAsync(sent, received.RemoteEndPoint, ending.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                // The test is over, or a client has left before its answer came.
            }
        }
    }

    private async Task ServeTcpAsync()
    {
        while (!ending.IsCancellationRequested)
        {
            try
            {
                using var client = await tcp.AcceptTcpClientAsync(ending.Token);
                var stream = client.GetStream();
                var length = new byte[2];
                await stream.ReadExactlyAsync(length, ending.Token);
                var query = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
                await stream.ReadExactlyAsync(query, ending.Token);
                if (Twist(Answer(query), true) is not { } answer) continue;
                await stream.WriteAsync(new byte[] { (byte)(answer.Length >> 8), (byte)answer.Length }, ending.Token);
                await stream.WriteAsync(answer, ending.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or IOException or SocketException)
            {
                // As above.
            }
        }
    }

    private byte[] Answer(ReadOnlySpan<byte> query)
    {
        Interlocked.Increment(ref questions);
        var question = Question(query);
        var known = Texts.TryGetValue(NameOf(question), out var texts);
        List<byte> answer = [.. query[..2], 0x81, (byte)(known ? 0x80 : 0x83), 0, 1, 0, (byte)(texts?.Length ?? 0), 0, 0, 0, 0, .. question];
        foreach (var text in texts ?? [])
        {
            byte[] data = [.. Encoding.UTF8.GetBytes(text).Chunk(255).SelectMany(part => part.Prepend((byte)part.Length))];
            answer.AddRange([0xC0, 12, 0, 16, 0, 1, 0, 0, 0, 60, (byte)(data.Length >> 8), (byte)data.Length, .. data]);
        }
        return [.. answer];
    }

    private static byte[] Question(ReadOnlySpan<byte> query) => query.Slice(12, query[12..].IndexOf((byte)0) + 5).ToArray();

    private static string NameOf(byte[] question)
    {
        var labels = new List<string>();
        for (var at = 0; question[at] > 0; at += question[at] + 1) labels.Add(Encoding.ASCII.GetString(question, at + 1, question[at]));
        return string.Join('.', labels);
    }
}
