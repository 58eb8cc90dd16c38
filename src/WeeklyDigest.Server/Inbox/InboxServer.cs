using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Inbox;

/// <summary>
/// The built-in inbox: a small SMTP server on 127.0.0.1 that keeps what it gets as .eml files and sends nothing on. It stands in for a relay until
/// one is set, so that a first run needs nothing else.
/// </summary>
/// <remarks>
/// A message is answered with 250 only when it is durably in place. Announces PIPELINING, 8BITMIME, SMTPUTF8, SIZE 26214400 and
/// ENHANCEDSTATUSCODES. At most 100 connections at once; a client may be silent for 5 minutes. Several servers, also of several processes,
/// may write into one folder.
/// </remarks>
internal sealed class InboxServer : IAsyncDisposable
{
    /// <summary>Connections at once; one more is answered 421.</summary>
    public const int MostConnections = 100;

    private static readonly TimeSpan DraftsAreDeadAfter = TimeSpan.FromHours(1);

    private static readonly TimeSpan PauseAfterFailedAccept = TimeSpan.FromMilliseconds(100);

    private readonly Socket listener;
    private readonly string folder;
    private readonly TimeProvider time;
    private readonly InboxCommitter committer;
    private readonly CancellationTokenSource ending = new();
    private readonly ConcurrentDictionary<long, Task> sessions = new();
    private readonly Task accepting;
    private int isDisposed;

    private InboxServer(string folder, Socket listener, TimeProvider time)
    {
        this.folder = folder;
        this.listener = listener;
        this.time = time;
        committer = new InboxCommitter(folder, time);
        accepting = AcceptAsync();
    }

    /// <summary>The port it listens on.</summary>
    public int Port => ((IPEndPoint)listener.LocalEndPoint!).Port;

    /// <summary>Starts listening; creates the folder.</summary>
    /// <param name="folder">Where messages go.</param>
    /// <param name="port">1 to 65535, or 0 for a free one.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="RefusedException">The port is taken, or the folder cannot be written.</exception>
    public static InboxServer Start(string folder, int port, TimeProvider time)
    {
        var full = Path.GetFullPath(folder);
        // Else each message would be refused for the time being, and tried again for days.
        if (FolderTrouble.Of(InboxDraft.TempFolder(full)) is { } trouble)
            throw new RefusedException($"The built-in inbox cannot keep messages: {trouble.What}. {trouble.Advice(Path.GetDirectoryName(full)!)}");
        try
        {
            PrivateFolder.Create(InboxDraft.TempFolder(full));
            RemoveDeadDrafts(full, time.GetUtcNow());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException($"The inbox's folder {full} cannot be written: {e.Message} Make it writable.");
        }

        return new InboxServer(full, Listen(port), time);
    }

    /// <summary>Stops listening and tells the clients; a message that came in whole is still kept and answered.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref isDisposed, 1) == 1)
        {
            return;
        }

        await ending.CancelAsync();
        await accepting;
        listener.Dispose();
        await Task.WhenAll(sessions.Values);
        await committer.DisposeAsync();
        ending.Dispose();
    }

    private static Socket Listen(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            socket.Listen(MostConnections);
            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new RefusedException($"The inbox cannot listen on 127.0.0.1:{port}: {e.Message}. End the program that uses the port, or set another one.");
        }
    }

    private static void RemoveDeadDrafts(string folder, DateTimeOffset now)
    {
        foreach (var draft in new DirectoryInfo(InboxDraft.TempFolder(folder)).EnumerateFiles())
        {
            if (now.UtcDateTime - draft.LastWriteTimeUtc > DraftsAreDeadAfter)
            {
                draft.Delete();
            }
        }
    }

    private async Task AcceptAsync()
    {
        for (var number = 0L; !ending.IsCancellationRequested; number++)
        {
            try
            {
                var socket = await listener.AcceptAsync(ending.Token);
                var session = number;
                var isFull = sessions.Count >= MostConnections;
                sessions[session] = Task.CompletedTask;
                var running = Task.Run(() => ServeAsync(socket, session, isFull));
                sessions.TryUpdate(session, running, Task.CompletedTask);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException)
            {
                // The client was gone before it was accepted; or no descriptor is free, and asking again at once would only burn the processor.
                await Task.Delay(PauseAfterFailedAccept, time, ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ServeAsync(Socket socket, long session, bool isFull)
    {
        try
        {
            socket.NoDelay = true;
            await using var wire = new InboxWire(new NetworkStream(socket, ownsSocket: true), time, ending.Token);
            if (isFull)
            {
                wire.Reply("421 4.3.2 Too many connections");
                await wire.SendAsync();
            }
            else
            {
                await new InboxSession(wire, committer, folder, time).RunAsync();
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            // The connection broke. What was not answered with 250 was not kept.
        }
        finally
        {
            sessions.TryRemove(session, out _);
        }
    }
}
