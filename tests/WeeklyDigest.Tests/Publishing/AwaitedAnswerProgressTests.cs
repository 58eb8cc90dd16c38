using WeeklyDigest.Publishing;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>What a run tells of a mailing that was paused or cancelled while a relay still owes it an answer.</summary>
public sealed class AwaitedAnswerProgressTests : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly TaskCompletionSource answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly LastProgress told = new();
    private readonly EnginePlace place;

    public AwaitedAnswerProgressTests()
        => place = EnginePlace.Open(moment => moment switch
        {
            { Stage: SmtpStage.Message, Recipient: "r1@example.org" } => SmtpMove.Hold(answer.Task, SmtpMove.Accept),
            // There has to be something left.
            { Stage: SmtpStage.Message } => SmtpMove.Hold(Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System), SmtpMove.Accept),
            _ => SmtpMove.Accept,
        });

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(MailingState.Paused)]
    [InlineData(MailingState.Cancelled)]
    public async Task No_end_is_foretold_of_what_is_not_sent(MailingState state)
    {
        var (mailing, running) = await StartAsync();
        await ChangeAsync(mailing, MailingState.Sending, state);
        await UntilAsync(progress => progress is { IsHeld: true, Balance.Sending: 1 });
        Assert.Equal((state, "by hand", 0, null, null), (told.Progress.State, told.Progress.StateReason, told.Progress.MessagesPerSecond, told.Progress.Remaining, told.Progress.DoneAt));
        Assert.False(running.IsCompleted);

        answer.SetResult();
        Assert.Equal(state, (await running).State);
        // The last word of a run, too.
        await UntilAsync(progress => progress.Balance.Sending == 0);
        Assert.Equal((state, "by hand", null, null), (told.Progress.State, told.Progress.StateReason, told.Progress.Remaining, told.Progress.Notice));
    }

    [Fact]
    public async Task Resumed_it_foretells_its_end_again()
    {
        var (mailing, running) = await StartAsync();
        await ChangeAsync(mailing, MailingState.Sending, MailingState.Paused);
        await UntilAsync(progress => progress is { IsHeld: true, Balance.Sending: 1 });
        await ChangeAsync(mailing, MailingState.Paused, MailingState.Sending);
        await UntilAsync(progress => progress is { IsHeld: false, MessagesPerSecond: > 0, Remaining: not null });

        answer.SetResult();
        Assert.Equal(MailingState.Sent, (await running).State);
        await UntilAsync(progress => progress.State == MailingState.Sent);
    }

    public async ValueTask DisposeAsync()
    {
        answer.TrySetResult();
        await place.DisposeAsync();
    }

    private async Task<(long Mailing, Task<DeliveryRunResult> Running)> StartAsync()
    {
        var mailing = await place.PublishAsync(1000);
        var running = place.Start().Engine.RunAsync(mailing, told, Cancel);
        await place.Server.WaitForAcceptedAsync(50, Limit);
        return (mailing, running);
    }

    private async Task ChangeAsync(long mailing, MailingState from, MailingState to)
        => Assert.True(await place.Database.Mailings.ChangeStateAsync(mailing, [from], to, to == MailingState.Sending ? null : "by hand", place.Time.GetUtcNow(), Cancel));

    private Task UntilAsync(Func<DeliveryProgress, bool> holds) => Eventually.HoldsAsync(() => holds(told.Progress), "it is told", Limit);

    private sealed class LastProgress : IProgress<DeliveryProgress>
    {
        private volatile DeliveryProgress last = new(Balance.OfNew(0), 0, null, null);

        public DeliveryProgress Progress => last;

        public void Report(DeliveryProgress value) => last = value;
    }
}
