using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>A mailing is paused and resumed while a relay still owes an answer for one recipient, which may take it ten minutes.</summary>
public sealed class ResumedMailingTests : IAsyncDisposable
{
    private const int Recipients = 1200;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly TaskCompletionSource answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly EnginePlace place;
    private SmtpStage slow = SmtpStage.Message;
    private string? refusal;

    public ResumedMailingTests()
        => place = EnginePlace.Open(
            moment => moment switch
            {
                { Stage: SmtpStage.MailFrom } when Volatile.Read(ref refusal) is { } reply => SmtpMove.Reply(reply),
                { Recipient: "r1@example.org" } when moment.Stage == slow => SmtpMove.Hold(answer.Task, SmtpMove.Accept),
                // There has to be something left for after the pause.
                { Stage: SmtpStage.Message } => SmtpMove.Hold(Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System), SmtpMove.Accept),
                _ => SmtpMove.Accept,
            },
            // Whoever took the row that waits for one that was left behind would send it again.
            new DeliveryOptions { OnUncertain = OnUncertain.Resend });

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_goes_on_at_once_and_the_answer_counts_when_it_comes()
    {
        var (mailing, running) = await StartAsync();
        await PauseAsync(mailing);
        await ResumeAsync(mailing);
        await AllOthersAsync(mailing);
        Assert.False(running.IsCompleted);

        answer.SetResult();
        Assert.Equal(MailingState.Sent, (await running).State);
        Assert.Equal(((long)Recipients, (long)Recipients), ((await place.ReconcileAsync(mailing)).Sent, (await place.BalanceAsync(mailing)).Attempts));
    }

    [Fact]
    public async Task However_often_it_is_paused_and_resumed_everybody_gets_it_once()
    {
        var (mailing, running) = await StartAsync();
        for (var i = 0; i < 3; i++)
        {
            await PauseAsync(mailing);
            await NoticedAsync();
            var before = place.Server.AcceptedCount;
            await ResumeAsync(mailing);
            await place.Server.WaitForAcceptedAsync(before + 10, Limit);
        }
        answer.SetResult();
        Assert.Equal(MailingState.Sent, (await running).State);
        Assert.Equal(((long)Recipients, (long)Recipients), ((await place.ReconcileAsync(mailing)).Sent, (await place.BalanceAsync(mailing)).Attempts));
    }

    [Fact]
    public async Task Paused_again_for_a_moment_that_it_does_not_notice_it_goes_on_as_well()
    {
        var (mailing, running) = await StartAsync();
        await PauseAsync(mailing);
        await NoticedAsync();
        for (var i = 0; i < 3; i++)
        {
            var before = place.Server.AcceptedCount;
            await ResumeAsync(mailing);
            await place.Server.WaitForAcceptedAsync(before + 10, Limit);
            await PauseAsync(mailing);
        }
        await ResumeAsync(mailing);
        await AllOthersAsync(mailing);

        answer.SetResult();
        Assert.Equal(MailingState.Sent, (await running).State);
        Assert.Equal(((long)Recipients, (long)Recipients), ((await place.ReconcileAsync(mailing)).Sent, (await place.BalanceAsync(mailing)).Attempts));
    }

    [Fact]
    public async Task Paused_again_it_ends_with_the_answer()
    {
        var (mailing, running) = await StartAsync();
        await PauseAsync(mailing);
        var before = place.Server.AcceptedCount;
        await ResumeAsync(mailing);
        await place.Server.WaitForAcceptedAsync(before + 10, Limit);
        await PauseAsync(mailing);
        Assert.False(running.IsCompleted);

        answer.SetResult();
        Assert.Equal(MailingState.Paused, (await running).State);
        var balance = await place.ReconcileAsync(mailing);
        Assert.Equal(Recipients, balance.Sent + balance.Pending);
    }

    [Fact]
    public async Task Whom_the_relay_accepts_only_then_is_taken_by_another_connection()
    {
        slow = SmtpStage.RcptTo;
        var (mailing, running) = await StartAsync();
        await PauseAsync(mailing);
        await ResumeAsync(mailing);
        await AllOthersAsync(mailing);

        answer.SetResult();
        Assert.Equal(MailingState.Sent, (await running).State);
        Assert.Equal(((long)Recipients, (long)Recipients), ((await place.ReconcileAsync(mailing)).Sent, (await place.BalanceAsync(mailing)).Attempts));
    }

    [Fact]
    public async Task One_whose_relay_had_refused_it_goes_on_when_it_is_resumed()
    {
        var (mailing, running) = await StartAsync();
        Volatile.Write(ref refusal, "550 5.7.1 this login may not send any more");
        await UntilAsync(mailing, state => state == MailingState.Paused);
        Volatile.Write(ref refusal, null);
        await ResumeAsync(mailing);
        await AllOthersAsync(mailing);

        answer.SetResult();
        Assert.Equal((MailingState.Sent, null), ((await running).State, (await running).StateReason));
        await place.ReconcileAsync(mailing);
    }

    [Fact]
    public async Task Who_gives_up_then_is_rid_of_it_within_ten_seconds()
    {
        using var stop = new CancellationTokenSource();
        var (mailing, running) = await StartAsync(stop.Token);
        await PauseAsync(mailing);
        var before = place.Server.AcceptedCount;
        await ResumeAsync(mailing);
        await place.Server.WaitForAcceptedAsync(before + 10, Limit);
        var started = TimeProvider.System.GetTimestamp();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(Limit, Cancel));
        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(10));
        var balance = await place.BalanceAsync(mailing);
        Assert.Equal((0L, 0L, (long)Recipients), (balance.Claimed, balance.Sending, balance.Sent + balance.Pending));
    }

    public async ValueTask DisposeAsync()
    {
        answer.TrySetResult();
        await place.DisposeAsync();
    }

    // Over several connections, of which one waits.
    private async Task<(long Mailing, Task<DeliveryRunResult> Running)> StartAsync(CancellationToken? giveUp = null)
    {
        var mailing = await place.PublishAsync(Recipients);
        var running = place.Start().RunUntilAsync(mailing, giveUp ?? Cancel);
        await place.Server.WaitForAcceptedAsync(50, Limit);
        return (mailing, running);
    }

    /// <summary>Pauses, until the run has noticed: it has given back all but the one that waits.</summary>
    private async Task PauseAsync(long mailing)
    {
        Assert.True(await place.Database.Mailings.ChangeStateAsync(mailing, [MailingState.Sending], MailingState.Paused, "by hand", place.Time.GetUtcNow(), Cancel));
        await UntilAsync(mailing, (_, balance) => (balance.Claimed, balance.Sending) == (0, 1));
    }

    // It looks at the mailing's state once a second.
    private static Task NoticedAsync() => Task.Delay(TimeSpan.FromSeconds(1.5), TimeProvider.System, Cancel);

    private async Task ResumeAsync(long mailing)
        => Assert.True(await place.Database.Mailings.ChangeStateAsync(mailing, [MailingState.Paused], MailingState.Sending, null, place.Time.GetUtcNow(), Cancel));

    private async Task AllOthersAsync(long mailing)
    {
        await UntilAsync(mailing, (_, balance) => balance.Sent == Recipients - 1);
        Assert.Equal(1, (await place.BalanceAsync(mailing)).Sending);
    }

    private Task UntilAsync(long mailing, Func<MailingState, bool> holds) => UntilAsync(mailing, (state, _) => holds(state));

    private async Task UntilAsync(long mailing, Func<MailingState, Balance, bool> holds)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!holds((await place.Database.Mailings.FindAsync(mailing, Cancel))!.State, await place.BalanceAsync(mailing)))
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Limit, $"not in time; {await place.BalanceAsync(mailing)}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Cancel);
        }
    }
}
