using WeeklyDigest.Publishing;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>A mailing that is paused while it is being sent: by another program, or since its relay refuses.</summary>
public sealed class PausedMailingTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_relay_is_told_of_few_recipients_who_get_nothing()
    {
        await using var place = EnginePlace.Open();
        var mailing = await place.PublishAsync(6000);
        var running = place.Start().RunAsync(mailing);
        await place.Server.WaitForAcceptedAsync(50, Limit);
        Assert.True(await place.Database.Mailings.ChangeStateAsync(mailing, [MailingState.Sending], MailingState.Paused, "by hand", place.Time.GetUtcNow(), Cancel));
        Assert.Equal(MailingState.Paused, (await running.WaitAsync(Limit, Cancel)).State);
        var balance = await place.ReconcileAsync(mailing);
        Assert.Equal(6000, balance.Sent + balance.Pending);
        Assert.InRange(balance.Pending, 1, 5950);
        // Each of four connections may have said one when it found out, and another before it did.
        Assert.InRange(place.Server.Commands.Count(command => command.Line.StartsWith("RSET", StringComparison.Ordinal)), 0, 8);
    }

    [Fact]
    public async Task One_that_cannot_go_on_is_paused_at_once_though_an_answer_is_awaited()
    {
        var (answer, refuses) = (new TaskCompletionSource(), false);
        await using var place = EnginePlace.Open(moment => moment switch
        {
            { Stage: SmtpStage.MailFrom } when Volatile.Read(ref refuses) => SmtpMove.Reply("550 5.7.1 this login may not send any more"),
            { Stage: SmtpStage.Message, Recipient: "r1@example.org" } => SmtpMove.Hold(answer.Task, SmtpMove.Accept),
            _ => SmtpMove.Accept,
        });
        var mailing = await place.PublishAsync(2000);
        var running = place.Start().RunAsync(mailing);
        await place.Server.WaitForAcceptedAsync(50, Limit);
        Volatile.Write(ref refuses, true);
        await UntilAsync(place, mailing, MailingState.Paused);
        var paused = (await place.Database.Mailings.FindAsync(mailing, Cancel))!;
        Assert.Contains("550 5.7.1 this login may not send any more", paused.StateReason, StringComparison.Ordinal);
        Assert.False(running.IsCompleted);

        answer.SetResult();
        Assert.Equal((MailingState.Paused, paused.StateReason), ((await running).State, (await running).StateReason));
        await place.ReconcileAsync(mailing);
    }

    private static async Task UntilAsync(EnginePlace place, long mailing, MailingState state)
    {
        var started = TimeProvider.System.GetTimestamp();
        while ((await place.Database.Mailings.FindAsync(mailing, Cancel))!.State != state)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Limit, $"never {state}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Cancel);
        }
    }
}
