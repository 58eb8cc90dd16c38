using System.Net;
using System.Net.Sockets;

namespace WeeklyDigest.Smtp;

/// <summary>Reaches one of a relay's addresses: each in turn until one answers (RFC 5321 section 5.1). For all connections of the relay.</summary>
/// <param name="time">The clock.</param>
internal sealed class RelayDialer(TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<IPAddress, int> _failed = [];
    private int _failures;

    /// <summary>Connects; blocks.</summary>
    /// <param name="addresses">The relay's, as its name was resolved.</param>
    /// <param name="port">The port.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="SocketException">None answered; what is said is of the first that there is a way to, else of the last.</exception>
    /// <exception cref="ObjectDisposedException">The caller gave up.</exception>
    /// <returns>The socket, and whom it leads to.</returns>
    public (Socket Socket, IPAddress Address) Connect(IReadOnlyList<IPAddress> addresses, int port, CancellationToken cancel)
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
                return (Connect(new IPEndPoint(turns[turn], port), share.Token, cancel), turns[turn]);
            }
            catch (Exception failure) when (failure is SocketException or ObjectDisposedException && !cancel.IsCancellationRequested)
            {
                if (share.IsCancellationRequested) Failed(turns[turn]);
                // A host without IPv6 has no way to half of the addresses, which says nothing of why the others do not answer.
                if (telling is null or SocketException { SocketErrorCode: SocketError.NetworkUnreachable or SocketError.HostUnreachable or SocketError.AddressFamilyNotSupported })
                    telling = share.IsCancellationRequested ? NoAnswer(turns[turn], port) : failure;
                if (isLast) throw telling;
            }
        }
    }

    /// <summary>Who is there greets.</summary>
    public void Greeted(IPAddress address)
    {
        lock (_gate) _failed.Remove(address);
    }

    /// <summary>Nobody answers there, or nobody who greets: a balancer accepts connections for a relay that is dead.</summary>
    public void Failed(IPAddress address)
    {
        lock (_gate) _failed[address] = ++_failures;
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
    /// failed before come last, the latest at the very end: that all have failed once is to keep none from its turn.
    /// </summary>
    internal List<IPAddress> InTurn(IReadOnlyList<IPAddress> addresses)
    {
        lock (_gate)
        {
            return [.. addresses.GroupBy(address => address.AddressFamily)
                .SelectMany(kind => kind.Index())
                .OrderBy(address => _failed.GetValueOrDefault(address.Item)).ThenBy(address => address.Index)
                .Select(address => address.Item)];
        }
    }
}
