using System.IO.Pipes;

namespace WeeklyDigest;

/// <summary>
/// Wakes one thread. Through a pipe: the runtime's own waiting goes through a lock that all threads of the process share, which costs more than
/// the waking where a thousand a second are woken.
/// </summary>
internal sealed class ThreadBell : IDisposable
{
    private readonly AnonymousPipeServerStream ear = new(PipeDirection.In);
    private readonly AnonymousPipeClientStream hand;
    private int asleep;

    public ThreadBell() => hand = new AnonymousPipeClientStream(PipeDirection.Out, ear.ClientSafePipeHandle);

    /// <summary>Wakes the thread if it sleeps. What it is to find has to be there already.</summary>
    public void Ring()
    {
        if (Interlocked.Exchange(ref asleep, 0) == 1) hand.Write([1]);
    }

    /// <summary>Sleeps until somebody rings; not at all when there is something to do already. Only for the one thread.</summary>
    public void Sleep<T>(T state, Func<T, bool> hasWork)
    {
        Interlocked.Exchange(ref asleep, 1);
        // Who rang before the line above found nobody asleep: look again. Who rings now writes, and that is read.
        if (hasWork(state) && Interlocked.Exchange(ref asleep, 0) == 1) return;
        Span<byte> ring = stackalloc byte[1];
        ear.ReadExactly(ring);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        hand.Dispose();
        ear.Dispose();
    }
}
