using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace WeeklyDigest.Benchmarks.Sinks;

/// <summary>An SMTP server that counts and forgets. A thread for each connection: blocking calls cost the fewest system calls.</summary>
internal sealed class SmtpSink(int port, bool plain, int delay) : IDisposable
{
    private const int Backlog = 1024;
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly ConcurrentBag<SinkConversation> conversations = [];

    public void Start()
    {
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen(Backlog);
        new Thread(Accept) { IsBackground = true }.Start();
    }

    /// <summary>Messages, octets, connections and recipients; and how many different recipients there were.</summary>
    public string Counts()
    {
        var all = conversations.ToList();
        var recipients = all.SelectMany(conversation => conversation.Recipients).ToList();
        return FormattableString.Invariant(
            $"msgs={all.Sum(c => c.Messages)} bytes={all.Sum(c => c.Octets)} conns={all.Count} rcpts={recipients.Count} distinct={recipients.Distinct().Count()}");
    }

    public void Dispose() => listener.Dispose();

    private void Accept()
    {
        while (true)
        {
            var conversation = new SinkConversation(listener.Accept(), plain, delay);
            conversations.Add(conversation);
            new Thread(conversation.Run) { IsBackground = true }.Start();
        }
    }
}
