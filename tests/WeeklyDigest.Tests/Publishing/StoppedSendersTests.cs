using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>Who lives on this machine, holds what others wait for, and is stopped.</summary>
public sealed class StoppedSendersTests
{
    private readonly StoppedSenders stopped = new();
    private readonly Sender other = new("host", 4711, 7, 92, DateTimeOffset.UnixEpoch) { IsStopped = true };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void One_is_named_once_and_in_the_progress_of_its_mailing_for_as_long_as_it_is_stopped()
    {
        var words = Assert.Single(stopped.Note([other]));
        Assert.StartsWith("Process 4711 on this machine is stopped, as by Ctrl-Z, with 92 deliveries in hand", words, StringComparison.Ordinal);
        Assert.Equal((words, null), (stopped.Notice(7), stopped.Notice(8)));
        Assert.Empty(stopped.Note([other with { Rows = 91 }]));
        Assert.Contains(" 91 deliveries ", stopped.Notice(7), StringComparison.Ordinal);

        Assert.Empty(stopped.Note([other with { IsStopped = false }]));
        Assert.Null(stopped.Notice(7));
        Assert.Single(stopped.Note([other]));
    }

    [Fact]
    public void Of_several_the_one_that_holds_most_is_in_the_progress()
    {
        Assert.Equal(2, stopped.Note([other, other with { ProcessId = 12, Rows = 93 }]).Count);
        Assert.StartsWith("Process 12 ", stopped.Notice(7), StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_is_at_work_is_not_however_long_its_lease_is_over()
    {
        var clock = new ManualClock();
        await using var place = EnginePlace.Open(time: clock);
        var (working, process) = (place.Start(), place.Start());
        var mailing = await place.PublishAsync(10);
        await place.Database.Mailings.ChangeStateAsync(mailing, [MailingState.Scheduled], MailingState.Sending, null, clock.GetUtcNow(), Cancel);
        var (now, lease) = (clock.GetUtcNow(), TimeSpan.FromMinutes(1));
        await place.Database.Ledger.ClaimAsync(new ClaimRequest(mailing, 5, new Claimant(working.Owner.ForRun(mailing), now, now + lease)), Cancel);
        clock.Advance(10 * lease);
        Assert.False(Assert.Single(await process.Engine.RecoverAsync(Cancel)).IsStopped);
        Assert.Equal(5, (await place.BalanceAsync(mailing)).Claimed);
        Assert.Empty(process.Warnings);
    }
}
