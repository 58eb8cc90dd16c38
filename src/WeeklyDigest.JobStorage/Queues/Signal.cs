namespace Hangfire.Storage.SQLite.Queues;

/// <summary>Wakes threads of this process that wait for something to change. A change between looking and waiting is not missed.</summary>
internal sealed class Signal
{
    private readonly Lock gate = new();
    private TaskCompletionSource changed = New();

    /// <summary>The state before a look; to be handed to <see cref="Wait"/> when the look found nothing.</summary>
    public Task Next
    {
        get
        {
            lock (gate) return changed.Task;
        }
    }

    /// <summary>Something changed.</summary>
    public void Announce()
    {
        TaskCompletionSource waiting;
        lock (gate) (waiting, changed) = (changed, New());
        waiting.SetResult();
    }

    /// <summary>Waits for a change since <paramref name="next"/> was taken.</summary>
    /// <param name="next">What <see cref="Next"/> was before the look.</param>
    /// <param name="longest">Waits no longer than this.</param>
    /// <param name="cancel">Stops waiting.</param>
    /// <exception cref="OperationCanceledException">Stopped.</exception>
    public static void Wait(Task next, TimeSpan longest, CancellationToken cancel) => next.Wait(longest, cancel);

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
