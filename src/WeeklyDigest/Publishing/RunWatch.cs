using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Publishing;

/// <summary>
/// Beside the deliveries of a run: notices within a second that the mailing was paused elsewhere, has to be paused, or was resumed; reports progress; and takes
/// back what relays refused that refuse everybody.
/// </summary>
internal sealed class RunWatch(RunParts run, RunEnvironment environment, RunCallers callers, MailingEnd end)
{
    private static readonly TimeSpan ReportEvery = TimeSpan.FromSeconds(1);

    /// <summary>A look that takes so long is told: the database hangs.</summary>
    private static readonly TimeSpan LongLook = TimeSpan.FromSeconds(3);

    private Task looking = Task.CompletedTask;
    private Task counting = Task.CompletedTask;
    private long lookingSince;
    private LedgerTrouble? unreadable;
    private LedgerTrouble? uncounted;
    private bool isUnusable;
    private readonly TaskCompletionSource<Mailing> resumed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when the mailing was paused and is being sent again.</summary>
    public Task<Mailing> Resumed => resumed.Task;

    /// <summary>What is said while the ledger cannot be written or read.</summary>
    public static string Unusable(LedgerTrouble trouble)
        => $"The ledger cannot be used: {Sentence(trouble.Words)} Nothing is sent until {(trouble.NeedsRestart ? "then" : "it can")}.";

    /// <summary>What is said when all that fails is the count of the deliveries: messages go out.</summary>
    public static string Uncounted(LedgerTrouble trouble) => $"The figures may be old, for the deliveries could not be counted: {Sentence(trouble.Words)}";

    /// <summary>What is said when a run waits at its end to be told how the mailing stands.</summary>
    public static string Unread(LedgerTrouble trouble) => $"How the mailing stands could not be read, and is asked again: {Sentence(trouble.Words)}";

    /// <summary>Looks at the mailing and reports, once a second until the run is over.</summary>
    public async Task ReportAsync()
    {
        using var timer = new PeriodicTimer(ReportEvery, run.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(run.Stop.OverToken)) await ReportOnceAsync();
        }
        finally
        {
            await Task.WhenAny(Task.WhenAll(looking, counting));
        }
    }

    /// <summary>Counts the deliveries when that is due. Beside the looks: a count of very many rows takes its time, which says nothing of the database and must not hide a pause.</summary>
    public async Task CountAsync(CancellationToken over)
    {
        try
        {
            if (await run.Meter.RefreshAsync(over)) uncounted = null;
        }
        catch (Exception failure) when (LedgerWriter.IsTrouble(failure))
        {
            uncounted = LedgerTrouble.Of(failure, run.Time.GetUtcNow());
        }
    }

    /// <summary>Takes back what followed from refusals that say nothing of the recipients, once a second until the run is over.</summary>
    public async Task DoubtAsync()
    {
        using var timer = new PeriodicTimer(ReportEvery, run.Time);
        while (await timer.WaitForNextTickAsync(run.Stop.OverToken)) await PardonAsync(run.Stop.OverToken);
    }

    /// <summary>The same, once. Done again and again: an outcome may be in the ledger a little later.</summary>
    public async Task PardonAsync(CancellationToken cancel)
    {
        // The run's own, whatever other runs and processes have accepted over the same relay meanwhile.
        if (run.Failures.Doubted is { Count: > 0 } doubted)
            await run.Writer.InTurnAsync(ledger => ledger.PardonAsync([.. doubted], environment.Options.OnUncertain, run.Time.GetUtcNow(), CancellationToken.None)).WaitAsync(cancel);
        await run.Doubts.LookAsync(run.Stop, cancel);
    }

    private async Task ReportOnceAsync()
    {
        // Found out by another mailing, or before this one began.
        if (run.Sessions.NoneLeft is { } reasons) run.Stop.RequestPause(reasons);
        if (looking.IsCompleted)
        {
            await looking;
            lookingSince = run.Time.GetTimestamp();
            looking = LookAsync(run.Stop.OverToken);
        }
        if (counting.IsCompleted)
        {
            await counting;
            counting = CountAsync(run.Stop.OverToken);
        }
        // A database that hangs keeps nobody from being told so.
        await Task.WhenAny(Task.WhenAll(looking, counting), Task.Delay(ReportEvery, run.Time, run.Stop.OverToken));
        callers.Report(Progress());
    }

    // A database that cannot be read now is reported and looked at again in a second; nothing is handed over without marks anyway.
    private async Task LookAsync(CancellationToken over)
    {
        try
        {
            // Whoever stopped before this look has said by now why, or has seen in the ledger that it is paused.
            var wasStopped = run.Stop.IsRequested;
            await environment.Relays.UpdateAsync(over);
            // Not only when all have ended: the last answer may take minutes, and the editor has something to do.
            await end.PauseAsync(run.Stop);
            var mailing = await environment.Mailings.FindAsync(run.MailingId, over);
            if (mailing is not null) run.Meter.Note(mailing.State, mailing.StateReason);
            if (mailing?.State != MailingState.Sending) run.Stop.Request();
            else if (wasStopped) Resume(mailing);
            else if (environment.Resumptions.IsNew(mailing)) run.Sessions.TakeBack();
        }
        catch (Exception failure) when (LedgerWriter.IsTrouble(failure))
        {
            unreadable = LedgerTrouble.Of(failure, run.Time.GetUtcNow());
            return;
        }
        unreadable = null;
    }

    private void Resume(Mailing mailing)
    {
        if (!run.Stop.IsFinal) resumed.TrySetResult(mailing);
    }

    private DeliveryProgress Progress()
    {
        var trouble = run.Writer.Trouble ?? unreadable ?? Unanswered();
        Log(trouble);
        return trouble is not null ? run.Meter.Standstill(Unusable(trouble)) : run.Meter.Progress(Notice(), run.Sessions.Speed);
    }

    // What a stopped process holds needs somebody, and would wait behind a relay that rests for longer; both are told.
    private string? Notice()
    {
        var others = run.Sessions.Notice ?? run.Domains.Notice ?? (uncounted is { } failed ? Uncounted(failed) : null);
        return environment.Stopped.Notice(run.MailingId) is not { } stopped ? others : others is null ? stopped : $"{stopped} {others}";
    }

    private static string Sentence(string words) => words is [.., '.' or '!' or '?'] ? words : words + ".";

    private LedgerTrouble? Unanswered()
    {
        var waiting = looking.IsCompleted ? TimeSpan.Zero : run.Time.GetElapsedTime(lookingSince);
        return waiting < LongLook ? null : new LedgerTrouble("The database does not answer.", run.Time.GetUtcNow() - waiting);
    }

    // In a server nobody may be looking at the progress: the log has it too, once when it begins and once when it is over.
    private void Log(LedgerTrouble? trouble)
    {
        if (isUnusable == trouble is not null) return;
        isUnusable = !isUnusable;
        environment.Warn(trouble is not null ? Unusable(trouble) : "The ledger can be used again; sending goes on.");
    }
}
