using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace WeeklyDigest.Smtp;

/// <summary>What DNS says of a name.</summary>
/// <param name="Texts">Its TXT records, the strings of each put together, only visible ASCII; empty when it has none.</param>
/// <param name="Trouble">Why nobody knows, as a clause for people; null when there was an answer.</param>
public sealed record TextAnswer(IReadOnlyList<string> Texts, string? Trouble = null);

/// <summary>
/// Asks name servers for TXT records, which the runtime cannot: over UDP, over TCP where the answer is too long for that. Malformed and
/// foreign answers are passed over, and no question lasts longer than servers times two tries.
/// </summary>
/// <param name="servers">The name servers, asked in turn; at most two count.</param>
/// <param name="patience">How long a try may take.</param>
/// <param name="time">The clock.</param>
public sealed class TextRecords(IReadOnlyList<IPEndPoint> servers, TimeSpan patience, TimeProvider time)
{
    /// <summary>The port of name servers.</summary>
    public const int Port = 53;

    private const int MaxServers = 2;
    private const int LongestUdp = 4096;
    private const int NameError = 3;

    private string? silence = servers.Count == 0 ? "this machine has no name server" : null;

    /// <summary>The name servers that this machine is set up with.</summary>
    public static IReadOnlyList<IPEndPoint> OfTheSystem()
        => [.. NetworkInterface.GetAllNetworkInterfaces().SelectMany(card => card.GetIPProperties().DnsAddresses).Distinct().Select(address => new IPEndPoint(address, Port))];

    /// <summary>Reads HOST:PORT; the port may be left out.</summary>
    /// <returns>The server, or null when the text names none.</returns>
    public static async Task<IPEndPoint?> ServerAsync(string text, CancellationToken cancel)
    {
        if (IPEndPoint.TryParse(text, out var address)) return new IPEndPoint(address.Address, address.Port == 0 ? Port : address.Port);
        if (!Uri.TryCreate("dns://" + text, UriKind.Absolute, out var url) || url.Host.Length == 0 || url.AbsolutePath != "/") return null;
        try
        {
            var found = await Dns.GetHostAddressesAsync(url.Host, cancel);
            return found.Length == 0 ? null : new IPEndPoint(found[0], url.Port < 0 ? Port : url.Port);
        }
        catch (SocketException)
        {
            return null;
        }
    }

    /// <summary>Whether a text can be a name in DNS (RFC 1035 section 2.3.4); underscores are taken, as DKIM and SPF use them.</summary>
    public static bool IsName(string text)
        => text.Length <= 253 && text.Split('.').All(label => label.Length is > 0 and <= 63 && label.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'));

    /// <summary>Asks. Once nobody has answered, nobody is asked again: each further question would take as long.</summary>
    public async Task<TextAnswer> AskAsync(string name, CancellationToken cancel)
    {
        if (!IsName(name)) return new TextAnswer([], "it is no name in DNS");
        if (silence is not null) return new TextAnswer([], silence);
        var refusal = 0;
        foreach (var server in servers.Take(MaxServers).Concat(servers.Take(MaxServers)))
        {
            if (await TryAsync(server, name, cancel) is not { } answer) continue;
            if (answer.Code is 0 or NameError) return new TextAnswer(answer.Texts);
            refusal = answer.Code;
        }
        if (refusal > 0) return new TextAnswer([], $"the name server answered {NameOf(refusal)}");
        return new TextAnswer([], silence = "no name server gave an answer that can be used");
    }

    private async Task<DnsAnswer?> TryAsync(IPEndPoint server, string name, CancellationToken cancel)
    {
        using var limit = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        try
        {
            var answer = await OverUdpAsync(server, name, either.Token);
            return answer.IsCutOff ? await OverTcpAsync(server, name, either.Token) : answer;
        }
        catch (Exception failure) when (failure is SocketException or IOException || (failure is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            return null;
        }
    }

    private static async Task<DnsAnswer> OverUdpAsync(IPEndPoint server, string name, CancellationToken cancel)
    {
        var id = NewId();
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(server, cancel);
        await socket.SendAsync(DnsMessage.Question(id, name), cancel);
        var buffer = new byte[LongestUdp];
        while (true)
        {
            var length = await socket.ReceiveAsync(buffer, cancel);
            if (DnsMessage.Read(buffer.AsSpan(0, length), id, name) is { } answer) return answer;
        }
    }

    private static async Task<DnsAnswer?> OverTcpAsync(IPEndPoint server, string name, CancellationToken cancel)
    {
        var id = NewId();
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server, cancel);
        await using var stream = new NetworkStream(socket);
        var question = DnsMessage.Question(id, name);
        await stream.WriteAsync(new byte[] { (byte)(question.Length >> 8), (byte)question.Length }.Concat(question).ToArray(), cancel);
        var length = new byte[2];
        await stream.ReadExactlyAsync(length, cancel);
        var message = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
        await stream.ReadExactlyAsync(message, cancel);
        return DnsMessage.Read(message, id, name);
    }

    private static ushort NewId() => (ushort)RandomNumberGenerator.GetInt32(ushort.MaxValue + 1);

    private static string NameOf(int code) => code switch
    {
        1 => "FORMERR",
        2 => "SERVFAIL",
        4 => "NOTIMP",
        5 => "REFUSED",
        _ => FormattableString.Invariant($"code {code}"),
    };
}
