using System.Data.Common;
using System.Globalization;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Commands;

/// <summary>Delivers a mailing from a command, together with whoever else delivers it, and says how it ended.</summary>
/// <param name="run">The command.</param>
/// <param name="installation">The installation.</param>
internal sealed class Delivering(CommandRun run, Installation installation)
{
    private const int MostAlarms = 20;
    private const string Cancelled = "Cancelled; what was not sent stays unsent.";

    /// <summary>So long nobody sits at a terminal for a domain.</summary>
    private static readonly TimeSpan LongWait = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    /// <summary>Of the time in which the program has to end, little is left after an answer was awaited.</summary>
    private static readonly TimeSpan LastLook = TimeSpan.FromSeconds(0.5);

    private volatile bool isLeft;

    /// <summary>Delivers, shows progress, and prints the balance.</summary>
    /// <param name="published">The mailing, as it was just published or found.</param>
    /// <param name="wait">Whether to stay until every row is final; else deferred rows, and a mailing whose time has not come, are left to later.</param>
    /// <param name="cancel">Drains and stops.</param>
    /// <returns>The exit code.</returns>
    /// <exception cref="InterruptedException">It was asked to end, and the mailing has been paused or cancelled.</exception>
    public async Task<int> RunAsync(PublishResult published, bool wait, CancellationToken cancel)
    {
        run.EndNotices();
        try
        {
            return await ToEndAsync(published, wait, cancel);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            if (await HeldAsync(published.MailingId) is { } words) throw new InterruptedException($"Interrupted. {words}");
            throw;
        }
    }

    private async Task<int> ToEndAsync(PublishResult published, bool wait, CancellationToken cancel)
    {
        var mailingId = published.MailingId;
        var title = (await MailingAsync(mailingId, cancel)).Issue.Value;
        var result = await FinishedAsync(mailingId, cancel) ?? (wait ? null : await ScheduledAsync(published, cancel)) ?? await DeliveryDisplay.ShowAsync(run, title, progress => DeliverAsync(mailingId, wait, progress, cancel));
        var mailing = await MailingAsync(mailingId, cancel);
        await BalanceView.WriteAsync(run, mailing, result.Balance);
        await BalanceView.WriteAlarmsAsync(run.Error, mailing, await installation.Database.Mailings.AlarmsAsync(mailingId, MostAlarms, cancel));
        await BalanceView.WriteDecisionsAsync(run.Error, mailing, result.Balance);
        return await ConcludeAsync(mailingId, title, result);
    }

    // What sending it again would say. A database that does not answer keeps nobody from ending.
    private async Task<string?> HeldAsync(long mailingId)
    {
        using var limit = new CancellationTokenSource(LastLook, run.Host.Time);
        try
        {
            return await Task.Run(() => installation.Database.Mailings.FindAsync(mailingId, limit.Token), limit.Token).WaitAsync(limit.Token) switch
            {
                { State: MailingState.Paused } mailing => Paused(mailing.Issue.Value, mailing.StateReason),
                { State: MailingState.Cancelled } => Cancelled,
                _ => null,
            };
        }
        catch (Exception failure) when (failure is OperationCanceledException or StorageException or DbException)
        {
            return null;
        }
    }

    private static string Paused(string issue, string? reason, string first = "") => $"Paused: {ProgressWords.Reason(reason)}. Run {first}`weeklydigest resume {issue}`, then send it again.";

    private async Task<DeliveryRunResult> DeliverAsync(long mailingId, bool wait, IProgress<DeliveryProgress> progress, CancellationToken cancel)
    {
        for (var known = Balance.OfNew(0); ;)
        {
            await RecoverAsync(known, progress, cancel);
            var result = wait ? await installation.DeliveryEngine.RunAsync(mailingId, progress, cancel) : await DeliverUntilDomainsWaitAsync(mailingId, progress, cancel);
            if (isLeft || IsOver(result, wait)) return result;
            var last = result.LastAttemptAt;
            progress.Report(new DeliveryProgress(result.Balance, 0, last - installation.Time.GetUtcNow(), Waiting(result)) { DoneAt = last });
            known = result.Balance;
            await Task.Delay(LookAgain, run.Host.Time, cancel);
        }
    }

    // What a killed process left is given back by a change, which waits for as long as another program holds the database.
    private async Task RecoverAsync(Balance known, IProgress<DeliveryProgress> progress, CancellationToken cancel)
    {
        var recovery = installation.DeliveryEngine.RecoverAsync(cancel);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        while (await Task.WhenAny(recovery, Task.Delay(LookAgain, run.Host.Time, enough.Token)) != recovery && !cancel.IsCancellationRequested)
            if (installation.DeliveryEngine.TroubleNotice is { } notice) progress.Report(new DeliveryProgress(known, 0, null, notice));
        await enough.CancelAsync();
        await recovery;
    }

    // Nothing is to be taken back, so nothing is written: not even a ledger that cannot be written keeps anybody waiting. What a process that died left is open.
    private async Task<DeliveryRunResult?> FinishedAsync(long mailingId, CancellationToken cancel)
    {
        var mailing = await MailingAsync(mailingId, cancel);
        if (mailing.State is not (MailingState.Sent or MailingState.Cancelled)) return null;
        var balance = await installation.Database.Mailings.BalanceAsync(mailingId, cancel);
        if (mailing.State == MailingState.Sent ? balance.Open > 0 : balance.Claimed + balance.Sending > 0) return null;
        if (mailing.State == MailingState.Sent) await run.Out.WriteLineAsync($"{mailing.Issue}: nothing is left to send.");
        return new DeliveryRunResult(mailing.State, mailing.StateReason, balance, null);
    }

    // Before its time there is nothing to recover, to start or to connect to, and of what was just written nothing to count again.
    private async Task<DeliveryRunResult?> ScheduledAsync(PublishResult published, CancellationToken cancel)
    {
        var mailing = await MailingAsync(published.MailingId, cancel);
        if (mailing is not { State: MailingState.Scheduled, ScheduledAt: { } at } || at <= run.Host.Time.GetUtcNow()) return null;
        var balance = published.Created ? Balance.OfNew(published.Added) : await installation.Database.Mailings.BalanceAsync(mailing.Id, cancel);
        return new DeliveryRunResult(mailing.State, mailing.StateReason, balance, null);
    }

    // Domains that asked to be left alone may take hours; what is left for them is for the server, or for the next time this is run.
    private async Task<DeliveryRunResult> DeliverUntilDomainsWaitAsync(long mailingId, IProgress<DeliveryProgress> progress, CancellationToken cancel)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        try
        {
            return await installation.DeliveryEngine.RunAsync(mailingId, new Impatient(progress, LeaveIfLong), leaving.Token);
        }
        catch (OperationCanceledException) when (isLeft && !cancel.IsCancellationRequested)
        {
            var mailing = await MailingAsync(mailingId, cancel);
            var store = installation.Database.Mailings;
            return new DeliveryRunResult(mailing.State, mailing.StateReason, await store.BalanceAsync(mailingId, cancel), await store.NextAttemptAsync(mailingId, cancel));
        }

        void LeaveIfLong(DateTimeOffset until)
        {
            if (isLeft || until - run.Host.Time.GetUtcNow() < LongWait) return;
            isLeft = true;
            leaving.Cancel();
        }
    }

    // Rows that another process holds are not final: stay until they are.
    private static bool IsOver(DeliveryRunResult result, bool wait) => result.State switch
    {
        MailingState.Scheduled => !wait,
        MailingState.Sending => result.Balance.Open == (wait ? 0 : result.Balance.Deferred),
        _ => true,
    };

    private static string? Waiting(DeliveryRunResult result)
        => result.Balance.Open == result.Balance.Deferred && result.NextAttemptAt is { } next
            ? string.Create(CultureInfo.InvariantCulture, $"next attempt at {next:HH:mm:ss zzz}")
            : null;

    private async Task<int> ConcludeAsync(long mailingId, string issue, DeliveryRunResult result)
    {
        if (result.State == MailingState.Paused)
        {
            var first = await IsRetryFirstAsync(mailingId, result.Balance) ? $"`weeklydigest retry {issue} --failed`, then " : "";
            await run.Error.WriteLineAsync(Paused(issue, result.StateReason, first));
            return CommandLine.Failed;
        }
        if (result.State == MailingState.Cancelled)
        {
            await run.Error.WriteLineAsync(Cancelled);
            return CommandLine.Failed;
        }
        if (result.State == MailingState.Scheduled)
            await run.Out.WriteLineAsync($"It starts by itself while `weeklydigest serve` runs, or when `weeklydigest send {issue}` is run after its time.");
        if (result.Balance.Deferred > 0 && result.NextAttemptAt is { } next)
            await run.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"Deferred deliveries are tried again from {next:yyyy-MM-dd HH:mm:ss zzz} on, by `weeklydigest serve` or by running this again."));
        if (isLeft)
        {
            await run.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{result.Balance.Pending} deliveries wait for domains that ask for less at a time; `weeklydigest serve` goes on with them, or running this again, with --wait to stay."));
            return CommandLine.NeedsAttention;
        }
        return result.Balance.NeedsAttention ? CommandLine.NeedsAttention : CommandLine.Done;
    }

    // Nothing waits where all that is left has failed: sending again alone would end at once. And whom a relay refused like everybody has to get it too.
    private async Task<bool> IsRetryFirstAsync(long mailingId, Balance balance)
        => balance.Failed > 0
            && (balance.Open == 0 || (await installation.Database.Ledger.RefusalsAsync(mailingId, CancellationToken.None)).Any(refusal => refusal.IsPardoned));

    private async Task<Mailing> MailingAsync(long id, CancellationToken cancel)
        => await installation.Database.Mailings.FindAsync(id, cancel) ?? throw new RefusedException($"Mailing {id} is not in the database any more.");

    /// <summary>Passes progress on, and says when nothing goes on but for domains that wait.</summary>
    private sealed class Impatient(IProgress<DeliveryProgress> inner, Action<DateTimeOffset> onWait) : IProgress<DeliveryProgress>
    {
        public void Report(DeliveryProgress value)
        {
            inner.Report(value);
            if (value.WaitsUntil is { } until) onWait(until);
        }
    }
}
