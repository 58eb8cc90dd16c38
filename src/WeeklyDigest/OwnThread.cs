using System.Collections.Concurrent;

namespace WeeklyDigest;

/// <summary>
/// A thread that belongs to one piece of work: what is awaited there goes on there, and blocking it blocks nobody else. To wait for a relay
/// or for the disk in a blocking call takes half the processor time of an asynchronous one, which goes through two more threads.
/// For the few things that wait many thousand times a second: the connections, and the writer of the ledger.
/// </summary>
public sealed class OwnThread : SynchronizationContext, IDisposable
{
    private readonly ConcurrentQueue<(SendOrPostCallback Callback, object? State)> posted = [];
    private readonly ThreadBell bell = new();
    private volatile bool isOver;

    private OwnThread()
    {
    }

    /// <summary>Runs work on a thread of its own.</summary>
    /// <param name="name">The thread's name; at most 15 letters show in the system's tools.</param>
    /// <param name="work">The work.</param>
    /// <returns>Completes, elsewhere, as the work does.</returns>
    public static Task RunAsync(string name, Func<Task> work)
    {
        var ended = new TaskCompletionSource<Task>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(Start) { IsBackground = true, Name = name }.Start();
        return ended.Task.Unwrap();

        void Start()
        {
            BatchThread.Become();
            using var own = new OwnThread();
            ended.SetResult(own.Run(work));
        }
    }

    /// <summary>Whether the calling code runs on such a thread.</summary>
    public static bool IsHere => Current is OwnThread;

    /// <summary>Does work that blocks: here and now on such a thread, elsewhere on one of the pool's.</summary>
    public static async Task<T> BlockAsync<T>(Func<T> work) => IsHere ? work() : await Task.Run(work);

    /// <summary>Waits, blocking, until a task has completed, however. What is awaited on this thread goes on afterwards.</summary>
    /// <exception cref="OperationCanceledException">It is not waited for any more.</exception>
    public static void Wait(Task task, CancellationToken cancel)
    {
        if (task.IsCompleted) return;
        if (Current is OwnThread own) own.WaitHere(task, cancel);
        else Task.WaitAny([task], cancel);
    }

    /// <summary>By the thread itself, when the work is over.</summary>
    public void Dispose() => bell.Dispose();

    /// <inheritdoc/>
    public override void Post(SendOrPostCallback d, object? state)
    {
        posted.Enqueue((d, state));
        bell.Ring();
        // What outlives the work goes on in the pool.
        if (isOver) Forward();
    }

    private Task Run(Func<Task> work)
    {
        SetSynchronizationContext(this);
        var running = work();
        running.ContinueWith(_ => End(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        while (!isOver)
        {
            while (posted.TryDequeue(out var next)) next.Callback(next.State);
            bell.Sleep(this, static own => own.isOver || !own.posted.IsEmpty);
        }
        Forward();
        return running;
    }

    private void WaitHere(Task task, CancellationToken cancel)
    {
        using var givingUp = cancel.UnsafeRegister(static bell => ((ThreadBell)bell!).Ring(), bell);
        task.ContinueWith(static (_, bell) => ((ThreadBell)bell!).Ring(), bell, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        while (!task.IsCompleted)
        {
            cancel.ThrowIfCancellationRequested();
            bell.Sleep((task, cancel), static wait => wait.task.IsCompleted || wait.cancel.IsCancellationRequested);
        }
    }

    private void Forward()
    {
        while (posted.TryDequeue(out var next)) base.Post(next.Callback, next.State);
    }

    private void End()
    {
        isOver = true;
        bell.Ring();
    }
}
