using WeeklyDigest.Publishing;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>A connection that waits too long for an answer, and the one that goes on in its place.</summary>
public sealed class StandInTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Recipients_whose_answers_do_not_come_hold_nobody_up()
    {
        var answers = new TaskCompletionSource();
        await using var place = EnginePlace.Open(moment => moment is { Stage: SmtpStage.Message, Recipient: "r1@example.org" or "r2@example.org" } ? SmtpMove.Hold(answers.Task, SmtpMove.Accept) : SmtpMove.Accept);
        var mailing = await place.PublishAsync(300);
        var running = place.Start(relay => relay with { Connections = 2, StalledConnections = 2 }).RunUntilAsync(mailing, Cancel);
        await place.Server.WaitForAcceptedAsync(298, Limit);

        answers.SetResult();
        Assert.Equal(MailingState.Sent, (await running.WaitAsync(Limit, Cancel)).State);
        Assert.Equal(300, (await place.ReconcileAsync(mailing)).Attempts);
        Assert.InRange(place.Server.MostOpenConnections, 3, 4);
    }

    [Fact]
    public async Task A_relay_that_allows_no_more_connections_is_not_taken_for_one_that_is_down()
    {
        var answer = new TaskCompletionSource();
        await using var place = EnginePlace.Open(moment => moment switch
        {
            { Stage: SmtpStage.Connect, Connection: > 2 } => SmtpMove.ReplyThenClose("554 5.7.1 too many connections from you"),
            { Stage: SmtpStage.Message, Recipient: "r1@example.org" } => SmtpMove.Hold(answer.Task, SmtpMove.Accept),
            _ => SmtpMove.Accept,
        });
        var mailing = await place.PublishAsync(2000);
        var running = place.Start(relay => relay with { Connections = 2, StalledConnections = 8, MessagesPerConnection = 0 }).RunUntilAsync(mailing, Cancel);
        await place.Server.WaitForAcceptedAsync(1999, Limit);

        answer.SetResult();
        Assert.Equal(MailingState.Sent, (await running.WaitAsync(Limit, Cancel)).State);
        Assert.Equal(2000, (await place.ReconcileAsync(mailing)).Attempts);
        Assert.Equal(2, place.Server.Accepted.Select(message => message.Connection).Distinct().Count());
    }

    [Fact]
    public async Task Without_stand_ins_no_more_connections_are_opened()
    {
        var answer = new TaskCompletionSource();
        await using var place = EnginePlace.Open(moment => moment is { Stage: SmtpStage.Message, Recipient: "r1@example.org" } ? SmtpMove.Hold(answer.Task, SmtpMove.Accept) : SmtpMove.Accept);
        var mailing = await place.PublishAsync(500);
        var running = place.Start(relay => relay with { Connections = 2, StalledConnections = 0 }).RunUntilAsync(mailing, Cancel);
        await place.Server.WaitForAcceptedAsync(499, Limit);
        answer.SetResult();
        Assert.Equal(MailingState.Sent, (await running.WaitAsync(Limit, Cancel)).State);
        Assert.Equal(2, place.Server.MostOpenConnections);
    }
}
