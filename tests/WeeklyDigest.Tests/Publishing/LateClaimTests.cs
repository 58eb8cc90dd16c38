using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>A run is drained while a claim of it waits for the database, longer than it is waited for: the claim comes all the same.</summary>
public sealed class LateClaimTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly ManualClock clock = new(new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero));
    private readonly TaskCompletionSource waits = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource unlocked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int claims;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_it_took_is_given_back_when_the_process_looks_after_its_mailings()
    {
        await using var place = EnginePlace.Open(time: clock);
        var mailing = await place.PublishAsync(6);
        place.Around = ledger => WaitingClaims.Over(ledger, () => WaitInClaim(1));
        var process = place.Start();
        await DrainInClaimAsync(process, mailing, () => { });
        await process.Engine.RecoverAsync(Cancel);

        Assert.Equal(6, (await place.BalanceAsync(mailing)).Pending);
        Assert.Equal([mailing], await place.Database.Mailings.DueAsync(clock.GetUtcNow(), Cancel));
    }

    [Fact]
    public async Task What_a_run_that_goes_on_has_claimed_is_left_to_it()
    {
        var answer = new TaskCompletionSource();
        await using var place = EnginePlace.Open(moment => moment.Stage == SmtpStage.Message ? SmtpMove.Hold(answer.Task, SmtpMove.Accept) : SmtpMove.Accept);
        var mailing = await place.PublishAsync(20);
        var process = place.Start();
        var running = process.RunAsync(mailing);
        await place.Server.WaitForAsync(server => server.Commands.Count(command => command.Line == "DATA") == 4, Limit, "four messages under way");
        var senders = await process.Engine.RecoverAsync(Cancel);
        var balance = await place.BalanceAsync(mailing);
        Assert.Equal((true, 4L), (senders.Single().IsThisProcess, balance.Sending));
        Assert.Equal(balance.Claimed + balance.Sending, senders.Single().Rows);

        answer.SetResult();
        Assert.Equal(20, (await running).Balance.Sent);
        Assert.Equal(20, (await place.ReconcileAsync(mailing)).Attempts);
    }

    [Fact]
    public async Task A_domain_has_the_room_again_that_the_run_had_filled()
    {
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var place = EnginePlace.Open(
            moment => moment.Stage == SmtpStage.Message ? SmtpMove.Hold(answer.Task, SmtpMove.Accept) : SmtpMove.Accept,
            new DeliveryOptions { Domains = [new DomainOptions { Name = "example.org", Connections = 1 }] },
            clock);
        var mailing = await place.PublishAsync(20);
        place.Around = ledger => WaitingClaims.Over(ledger, () => WaitInClaim(2));
        var process = place.Start();
        await DrainInClaimAsync(process, mailing, answer.SetResult);

        var again = process.RunUntilAsync(mailing, Cancel);
        await Eventually.HoldsAsync(() => IsOverAfterASecond(again), "the next run", Limit);
        Assert.Equal((MailingState.Sent, 20L), ((await again).State, (await again).Balance.Sent));
    }

    private Task WaitInClaim(int number)
    {
        if (Interlocked.Increment(ref claims) != number) return Task.CompletedTask;
        waits.SetResult();
        return unlocked.Task;
    }

    private async Task DrainInClaimAsync(EngineProcess process, long mailing, Action meanwhile)
    {
        using var stop = new CancellationTokenSource();
        var running = process.RunUntilAsync(mailing, stop.Token);
        await waits.Task.WaitAsync(Limit, Cancel);
        await stop.CancelAsync();
        meanwhile();
        clock.Advance(TimeSpan.FromSeconds(9));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(Limit, Cancel));
        unlocked.SetResult();
    }

    private bool IsOverAfterASecond(Task run)
    {
        clock.Advance(TimeSpan.FromSeconds(1));
        return run.IsCompleted;
    }
}
