using System.Net;
using System.Net.Sockets;

namespace WeeklyDigest.Tests;

/// <summary>
/// Ports on 127.0.0.1 for servers that have to be told one before they start, or that come back on the same one. They lie below those the system
/// gives out by itself (32768 and up on Linux): between the moment in which one is found free and the server's start, nobody's connection takes it.
/// </summary>
internal static class LoopbackPort
{
    private const int Lowest = 16384;

    private const int Count = 16384;

    // Two runs at once begin apart from each other; within one run none is given out twice before all were.
    private static uint last = (uint)Environment.ProcessId * 97;

    /// <summary>One that nobody listens on now, and that nobody else of this run was given.</summary>
    public static int Free()
    {
        for (var tries = 0; tries < Count; tries++)
        {
            var port = Lowest + (int)(Interlocked.Increment(ref last) % Count);
            if (IsFree(port)) return port;
        }
        throw new InvalidOperationException($"None of the ports {Lowest} to {Lowest + Count - 1} of 127.0.0.1 is free.");
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
