namespace WeeklyDigest.Publishing;

/// <summary>
/// How a run is told to stop. Stopping means: nothing new is handed over, what is under way is finished. When the program itself is to
/// end there are limits to that: seven and a half seconds for the relay's answer, half a second more to record it. What is left of ten ends the process.
/// </summary>
/// <remarks>
/// A stretch of a run, to when its mailing is paused, is stopped by itself; when the run is to stop, each of its stretches is.
/// </remarks>
internal sealed class RunStop : IDisposable
{
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(7.5);
    private static readonly TimeSpan RecordLimit = TimeSpan.FromSeconds(8);

    private readonly RunStop? whole;
    private readonly string? machine;
    private readonly CancellationTokenSource stop;
    private readonly CancellationTokenSource over;
    private readonly CancellationTokenSource answer;
    private readonly CancellationTokenSource record;
    private readonly Lock gate = new();
    private string? pauseReason;
    private bool isPauseTaken;
    private bool isDisposed;

    /// <summary>Of a whole run.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="machine">Where it is, when several machines may send the mailing: what one of them has met, the others may not. Else null.</param>
    public RunStop(TimeProvider time, string? machine = null)
        => (this.machine, stop, over, answer, record) = (machine, new(), new(), new(Timeout.InfiniteTimeSpan, time), new(Timeout.InfiniteTimeSpan, time));

    private RunStop(RunStop whole)
    {
        (this.whole, machine) = (whole, whole.machine);
        stop = CancellationTokenSource.CreateLinkedTokenSource(whole.stop.Token);
        over = CancellationTokenSource.CreateLinkedTokenSource(whole.over.Token);
        (answer, record) = (whole.answer, whole.record);
    }

    /// <summary>Nothing new after this.</summary>
    public CancellationToken Token => stop.Token;

    /// <summary>Whether to hand nothing over any more.</summary>
    public bool IsRequested => stop.IsCancellationRequested || IsFinal;

    /// <summary>Whether the whole run stops: it does not go on when its mailing is resumed.</summary>
    public bool IsFinal => (whole ?? this).stop.IsCancellationRequested;

    /// <summary>The relay's answer is waited for until then.</summary>
    public CancellationToken AnswerToken => answer.Token;

    /// <summary>The ledger is waited for until then.</summary>
    public CancellationToken RecordToken => record.Token;

    /// <summary>All deliveries have ended; what goes on beside them ends too.</summary>
    public CancellationToken OverToken => over.Token;

    /// <summary>Whether another stretch has begun, or all deliveries have ended.</summary>
    public bool IsOver => over.IsCancellationRequested;

    /// <summary>Whether a cancelled part ended as it should.</summary>
    public bool IsExpected => IsRequested || IsOver;

    /// <summary>Why the mailing has to be paused, or null.</summary>
    public string? PauseReason => Volatile.Read(ref pauseReason);

    /// <summary>The same, for whoever writes it down: once, for the editor may resume the mailing while an answer is still awaited.</summary>
    public string? TakePauseReason() => PauseReason is { } reason && !Interlocked.Exchange(ref isPauseTaken, true) ? reason : null;

    /// <summary>Ends what goes on beside the deliveries.</summary>
    public void End() => WhileAlive(() => Cancel(over));

    /// <summary>Stops; what is under way takes the time it needs.</summary>
    public void Request() => WhileAlive(() => Cancel(stop));

    /// <summary>Stops, because the mailing has to be paused for what this machine has met; the first reason counts.</summary>
    public void RequestPause(string reason) => RequestPauseOfAll(Blamed.On(machine, reason));

    /// <summary>The same for what any machine may have met: the ledger shows it.</summary>
    public void RequestPauseOfAll(string reason)
    {
        Interlocked.CompareExchange(ref pauseReason, reason, null);
        Request();
    }

    /// <summary>Stops: no answer of a relay and no change of the ledger is waited for longer than ten seconds.</summary>
    public void RequestDrain()
    {
        if (whole is not null) whole.RequestDrain();
        else WhileAlive(Drain);
    }

    /// <summary>For a stretch of this run.</summary>
    public RunStop Stretch() => new(this);

    /// <summary>Runs a part. One that fails stops the others in good order: what is under way is finished and recorded where the ledger allows.</summary>
    public async Task GuardAsync(Func<Task> part)
    {
        try
        {
            await Task.Run(part);
        }
        catch (OperationCanceledException) when (IsExpected)
        {
        }
        catch
        {
            RequestDrain();
            throw;
        }
    }

    /// <summary>The run has ended; what asks it to stop from now on does nothing.</summary>
    public void Dispose()
    {
        lock (gate) isDisposed = true;
        stop.Dispose();
        over.Dispose();
        if (whole is not null) return;
        answer.Dispose();
        record.Dispose();
    }

    private void Drain()
    {
        answer.CancelAfter(AnswerLimit);
        record.CancelAfter(RecordLimit);
        Cancel(stop);
    }

    // What waits for the token goes on elsewhere: not inside the caller, who may be one of the connections, and not under the lock.
    private static void Cancel(CancellationTokenSource source) => _ = source.CancelAsync();

    // A caller may give up in the very moment the run ends.
    private void WhileAlive(Action request)
    {
        lock (gate)
        {
            if (!isDisposed) request();
        }
    }
}
