using System.Net;
using System.Net.Sockets;

namespace WeeklyDigest.Smtp;

/// <summary>Reaches one of a relay's addresses: each in turn until one answers (RFC 5321 section 5.1). For one connection at a time.</summary>
/// <param name="time">The clock.</param>
internal sealed class RelayDialer(TimeProvider time)
{
    private readonly HashSet<IPAddress> _silent = [];

    /// <summary>Connects; blocks.</summary>
    /// <param name="addresses">The relay's, as its name was resolved.</param>
    /// <param name="port">The port.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="SocketException">None answered; what is said is of the first that there is a way to, else of the last.</exception>
    /// <exception cref="ObjectDisposedException">The caller gave up.</exception>
    public Socket Connect(IReadOnlyList<IPAddress> addresses, int port, CancellationToken cancel)
    {
        var turns = InTurn(addresses);
        if (turns.Count == 0) throw new SocketException((int)SocketError.NoData);
        Exception? telling = null;
        for (var turn = 0; ; turn++)
        {
            var isLast = turn == turns.Count - 1;
            // A firewall that swallows packets says nothing for minutes: the addresses behind are to have their turn within the time there is.
            using var share = new CancellationTokenSource(isLast ? Timeout.InfiniteTimeSpan : RelayLimits.Address, time);
            try
            {
                var socket = Connect(new IPEndPoint(turns[turn], port), share.Token, cancel);
                _silent.Remove(turns[turn]);
                return socket;
            }
            catch (Exception failure) when (failure is SocketException or ObjectDisposedException && !cancel.IsCancellationRequested)
            {
                if (share.IsCancellationRequested) _silent.Add(turns[turn]);
                // A host without IPv6 has no way to half of the addresses, which says nothing of why the others do not answer.
                if (telling is null or SocketException { SocketErrorCode: SocketError.NetworkUnreachable or SocketError.HostUnreachable or SocketError.AddressFamilyNotSupported })
                    telling = share.IsCancellationRequested ? NoAnswer(turns[turn], port) : failure;
                if (isLast) throw telling;
            }
        }
    }

    private static SocketException NoAnswer(IPAddress address, int port) => new((int)SocketError.TimedOut, $"No answer in time from {new IPEndPoint(address, port)}.");

    private static Socket Connect(IPEndPoint address, CancellationToken share, CancellationToken cancel)
    {
        // A socket of our own: MailKit's leaves Nagle's algorithm on, which costs 40 ms a message.
        // And the system would take in megabytes for a relay that reads slowly: the end of a large message would have left us long before it leaves the machine.
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, SendBufferSize = RelayStream.BlockSize };
        try
        {
            using var ofShare = share.UnsafeRegister(static state => ((Socket)state!).Dispose(), socket);
            using var ofAll = cancel.UnsafeRegister(static state => ((Socket)state!).Dispose(), socket);
            socket.Connect(address);
            return socket;
        }
        catch (Exception)
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>
    /// One of IPv6 and one of IPv4 by turns, the resolver's order kept (RFC 8305 section 4): what is wrong is wrong with all of a kind as a rule. Which
    /// kept silent before come last.
    /// </summary>
    internal List<IPAddress> InTurn(IReadOnlyList<IPAddress> addresses)
        => [.. addresses.GroupBy(address => address.AddressFamily)
            .SelectMany(kind => kind.Index())
            .OrderBy(address => _silent.Contains(address.Item)).ThenBy(address => address.Index)
            .Select(address => address.Item)];
}
