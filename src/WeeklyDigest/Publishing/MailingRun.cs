using WeeklyDigest.Smtp;

namespace WeeklyDigest.Publishing;

/// <summary>One run of one mailing in this process, from claim to balance; any number of callers wait for the same run.</summary>
internal sealed class MailingRun : IDisposable
{
    /// <summary>Domains whose refusals in a row a run goes on counting after a restart.</summary>
    private const int MaxAlarms = 10_000;

    private static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(1);

    private readonly RunCallers callers;
    private readonly RunStop stop;
    private readonly RunEnvironment environment;
    private readonly MailingEnd end;
    private readonly ClaimLease lease;
    private readonly ProgressMeter meter;
    private readonly long mailingId;

    /// <summary>A run with its first caller; <see cref="RunAsync"/> starts it.</summary>
    public MailingRun(long mailingId, RunEnvironment environment, IProgress<DeliveryProgress>? progress)
    {
        (this.mailingId, this.environment) = (mailingId, environment);
        stop = new RunStop(environment.Time, environment.Machine);
        callers = new RunCallers(progress, stop.RequestDrain);
        lease = new ClaimLease(environment.Writer, environment.Owner.ForRun(mailingId), environment.Options.Lease, environment.Time);
        end = new MailingEnd(mailingId, environment, lease.Owner, callers, stop);
        meter = new ProgressMeter(end.StandingAsync, environment.Time);
    }

    /// <summary>Who waits for it.</summary>
    public RunCallers Callers => callers;

    /// <summary>Stops it: within ten seconds, or when the ledger has answered what it is asked by then.</summary>
    public void Drain()
    {
        callers.Close();
        stop.RequestDrain();
    }

    /// <summary>Delivers until nothing is pending or due, or it is told to stop.</summary>
    public async Task<DeliveryRunResult> RunAsync()
    {
        var beginning = SweptAsync();
        await TellingAsync(beginning);
        var mailing = await beginning;
        var last = mailing.State == MailingState.Sending ? await DeliverAsync(mailing) : stop;
        await environment.TallyOf(mailingId).NoteAsync(stop.RecordToken);
        await environment.Relays.UpdateAsync(CancellationToken.None).WaitAsync(stop.RecordToken);
        await end.PauseAsync(last);
        callers.Close();
        var ending = end.ResultAsync();
        await TellingAsync(ending);
        var result = await ending;
        meter.Start(new Standing(result.Balance) { LastAttemptAt = result.LastAttemptAt });
        meter.Note(result.State, result.StateReason);
        callers.Report(meter.Progress(null, environment.Sessions.Speed));
        return result with { WasSent = mailing.State == MailingState.Sent };
    }

    /// <inheritdoc/>
    public void Dispose() => stop.Dispose();

    // A run that has not begun is not watched yet, and one that ends no more: who waits for it is told here why nothing happens.
    private async Task TellingAsync(Task work)
    {
        while (await Task.WhenAny(work, Task.Delay(TellEvery, environment.Time)) != work)
        {
            if (environment.Writer.Trouble is { } trouble) callers.Report(meter.Standstill(RunWatch.Unusable(trouble)));
            else if (end.Unread is { } unread) callers.Report(meter.Standstill(RunWatch.Unread(unread)));
        }
        await work;
    }

    private async Task<Mailing> SweptAsync()
    {
        await end.SweepAsync();
        return await StartAsync();
    }

    // A mailing whose time has come is taken from scheduled to sending; by whom does not matter.
    private async Task<Mailing> StartAsync()
    {
        var mailing = await FindAsync();
        if (mailing.State != MailingState.Scheduled || mailing.ScheduledAt > environment.Time.GetUtcNow()) return mailing;
        await end.ChangeStateAsync([MailingState.Scheduled], MailingState.Sending, null);
        return await FindAsync();
    }

    private async Task<Mailing> FindAsync()
        => await environment.Mailings.FindAsync(mailingId, stop.Token) ?? throw new RefusedException($"There is no mailing {mailingId}.");

    // Its end says whether the mailing has to be paused.
    private async Task<RunStop> DeliverAsync(Mailing mailing)
    {
        var messages = new MailingMessages(mailing.Issue.Value, await environment.Mailings.ContentAsync(mailingId, stop.Token), environment.Tokens);
        var upkeep = stop.GuardAsync(new RunUpkeep(mailingId, environment, lease, stop).RunAsync);
        try
        {
            return await DeliverAsync(mailing, messages);
        }
        finally
        {
            stop.End();
            await upkeep;
        }
    }

    private async Task<RunStop> DeliverAsync(Mailing mailing, MailingMessages messages)
    {
        try
        {
            while (true)
            {
                if (environment.Resumptions.IsNew(mailing)) environment.Sessions.TakeBack();
                var parts = await PartsAsync(mailing, messages);
                await environment.Doubts.LookAsync(parts.Stop, stop.RecordToken);
                if (parts.Stop.PauseReason is not null && end.Before.IsCompleted) return parts.Stop;
                if (await StretchAsync(parts) is not { } resumed)
                {
                    await end.Before;
                    return parts.Stop;
                }
                mailing = resumed;
            }
        }
        finally
        {
            // Also when something has failed: what is under way is finished and recorded first.
            await Task.WhenAny(end.Before);
        }
    }

    private async Task<Mailing?> StretchAsync(RunParts parts)
    {
        var stretch = new RunStretch(parts, environment, callers, end);
        try
        {
            var resumed = await stretch.RunAsync();
            if (resumed is null) await TellingAsync(end.DoubtAsync(parts.Failures, parts.Stop));
            else callers.Reopen();
            return resumed;
        }
        finally
        {
            end.Before = stretch.FinishAsync();
        }
    }

    // What refused before is counted anew: the editor has resumed the mailing since.
    private async Task<RunParts> PartsAsync(Mailing mailing, MailingMessages messages) => new(
        mailingId,
        environment.Owner,
        environment.Writer,
        environment.Sessions,
        messages,
        new MessageComposer(messages.Content, environment.Signer),
        environment.Verdicts,
        lease,
        meter,
        environment.TallyOf(mailingId),
        stop.Stretch(),
        new FailureRows(environment.Options.PauseAfterConsecutiveFailures),
        environment.Doubts,
        new DomainRefusals(await end.AlarmsAsync(MaxAlarms), words => environment.Warn($"{mailing.Issue}: {words}")),
        environment.Domains,
        environment.Options,
        environment.Time);
}
