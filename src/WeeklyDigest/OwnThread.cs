namespace WeeklyDigest;

/// <summary>
/// A thread that belongs to one piece of work: what is awaited there goes on there, and blocking it blocks nobody else. To wait for a relay
/// or for the disk in a blocking call takes half the processor time of an asynchronous one, which goes through two more threads.
/// For the few things that wait many thousand times a second: the connections, and the writer of the ledger.
/// </summary>
public sealed class OwnThread : SynchronizationContext
{
    private readonly object gate = new();
    private readonly Queue<(SendOrPostCallback Callback, object? State)> posted = [];
    private bool isOver;

    private OwnThread()
    {
    }

    /// <summary>Runs work on a thread of its own.</summary>
    /// <param name="name">The thread's name; at most 15 letters show in the system's tools.</param>
    /// <param name="work">The work.</param>
    /// <returns>Completes, elsewhere, as the work does.</returns>
    public static Task RunAsync(string name, Func<Task> work)
    {
        var own = new OwnThread();
        var ended = new TaskCompletionSource<Task>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() => ended.SetResult(own.Run(work))) { IsBackground = true, Name = name }.Start();
        return ended.Task.Unwrap();
    }

    /// <summary>Does work that blocks: here and now on such a thread, elsewhere on one of the pool's.</summary>
    public static async Task<T> BlockAsync<T>(Func<T> work) => Current is OwnThread ? work() : await Task.Run(work);

    /// <inheritdoc/>
    public override void Post(SendOrPostCallback d, object? state)
    {
        lock (gate)
        {
            if (!isOver)
            {
                posted.Enqueue((d, state));
                Monitor.Pulse(gate);
                return;
            }
        }
        // What outlives the work goes on in the pool.
        base.Post(d, state);
    }

    private Task Run(Func<Task> work)
    {
        SetSynchronizationContext(this);
        var running = work();
        running.ContinueWith(_ => End(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        while (TryTake(out var next)) next.Callback(next.State);
        return running;
    }

    private bool TryTake(out (SendOrPostCallback Callback, object? State) next)
    {
        lock (gate)
        {
            while (posted.Count == 0 && !isOver) Monitor.Wait(gate);
            return posted.TryDequeue(out next);
        }
    }

    private void End()
    {
        lock (gate)
        {
            isOver = true;
            Monitor.Pulse(gate);
        }
    }
}
