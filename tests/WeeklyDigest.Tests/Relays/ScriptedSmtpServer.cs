using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace WeeklyDigest.Tests.Relays;

/// <summary>
/// A real SMTP server on 127.0.0.1 whose replies a test decides, and which remembers what it accepted: the other side of every count.
/// An accepted message is recorded before its reply is written.
/// </summary>
internal sealed class ScriptedSmtpServer : IAsyncDisposable
{
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly ConcurrentQueue<AcceptedMessage> accepted = new();
    private readonly ConcurrentQueue<ReceivedCommand> commands = new();
    private readonly ConcurrentDictionary<(SmtpStage, string), int> times = new();
    private readonly ConcurrentDictionary<int, Task> conversations = new();
    private readonly CancellationTokenSource ending = new();
    private readonly Task accepting;
    private volatile Func<SmtpMoment, SmtpMove> script;
    private int connections;
    private int open;
    private int mostOpen;
    private int isDisposed;

    private ScriptedSmtpServer(ScriptedSmtpOptions options)
    {
        Options = options;
        script = options.Script ?? (_ => SmtpMove.Accept);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, options.Port));
        listener.Listen(512);
        Port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        accepting = AcceptAsync();
    }

    public int Port { get; }

    public ScriptedSmtpOptions Options { get; }

    /// <summary>May be changed while the server runs: a relay that goes down, or comes back.</summary>
    public Func<SmtpMoment, SmtpMove> Script
    {
        get => script;
        set => script = value;
    }

    /// <summary>Every accepted message so far, once per recipient, in order of acceptance.</summary>
    public IReadOnlyList<AcceptedMessage> Accepted => [.. accepted];

    public int AcceptedCount => accepted.Count;

    /// <summary>Every line so far that came outside of a message.</summary>
    public IReadOnlyList<ReceivedCommand> Commands => [.. commands];

    /// <summary>Connections ever opened.</summary>
    public int Connections => Volatile.Read(ref connections);

    public int OpenConnections => Volatile.Read(ref open);

    /// <summary>The most connections that were open at the same time.</summary>
    public int MostOpenConnections => Volatile.Read(ref mostOpen);

    public static ScriptedSmtpServer Start(ScriptedSmtpOptions? options = null) => new(options ?? new ScriptedSmtpOptions());

    /// <summary>Accepts everything except what the script says.</summary>
    public static ScriptedSmtpServer Start(Func<SmtpMoment, SmtpMove> script) => new(new ScriptedSmtpOptions { Script = script });

    /// <summary>Waits until the condition holds.</summary>
    /// <exception cref="TimeoutException">It did not in time; names what was expected and how many messages were accepted.</exception>
    public async Task WaitForAsync(Func<ScriptedSmtpServer, bool> condition, TimeSpan limit, string expected)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition(this))
        {
            if (TimeProvider.System.GetElapsedTime(started) > limit)
            {
                throw new TimeoutException($"Not within {limit}: {expected}. Accepted {AcceptedCount}, open connections {OpenConnections} of {Connections}.");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
        }
    }

    /// <summary>Waits until so many messages were accepted.</summary>
    public Task WaitForAcceptedAsync(int count, TimeSpan limit) => WaitForAsync(server => server.AcceptedCount >= count, limit, $"{count} accepted messages");

    /// <summary>Nobody listens any more and every connection is cut; a second call does nothing.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref isDisposed, 1) != 0) return;
        await ending.CancelAsync();
        listener.Dispose();
        await accepting;
        await Task.WhenAll(conversations.Values);
        ending.Dispose();
    }

    internal SmtpMove Decide(SmtpStage stage, string line, string recipient, int connection, string messageId)
    {
        var time = times.AddOrUpdate((stage, recipient), 1, (_, before) => before + 1);
        return script(new SmtpMoment(stage, line, recipient, time, connection, messageId));
    }

    internal void Record(AcceptedMessage message) => accepted.Enqueue(message);

    internal void Record(ReceivedCommand command) => commands.Enqueue(command);

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                var socket = await listener.AcceptAsync(ending.Token);
                var number = Interlocked.Increment(ref connections);
                conversations[number] = Task.Run(() => ConverseAsync(socket, number));
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                return;
            }
        }
    }

    private async Task ConverseAsync(Socket socket, int number)
    {
        NoteOpen(Interlocked.Increment(ref open));
        try
        {
            socket.NoDelay = true;
            await using var wire = new ScriptedSmtpWire(socket);
            await new ScriptedSmtpConversation(this, wire, number, ending.Token).RunAsync();
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or System.Security.Authentication.AuthenticationException)
        {
            // The client left, refused our certificate, or the test is over.
        }
        finally
        {
            Interlocked.Decrement(ref open);
            conversations.TryRemove(number, out _);
        }
    }

    private void NoteOpen(int now)
    {
        for (var most = Volatile.Read(ref mostOpen); now > most; most = Volatile.Read(ref mostOpen))
        {
            Interlocked.CompareExchange(ref mostOpen, now, most);
        }
    }
}
