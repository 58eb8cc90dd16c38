using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>Who lives on this machine, holds what others wait for, and gives no sign of life.</summary>
public sealed class SilentSendersTests
{
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(1);
    private readonly SetClock clock = new(new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero));
    private readonly SilentSenders silent;
    private Sender other;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public SilentSendersTests()
    {
        silent = new SilentSenders(Lease, new ClockSteadiness(clock), clock);
        other = new Sender("host", 4711, 7, 92, clock.GetUtcNow() + Lease) { IsAliveHere = true };
    }

    [Fact]
    public void One_whose_lease_has_been_over_for_a_lease_is_named_once_and_in_the_progress_of_its_mailing()
    {
        clock.Advance(2 * Lease);
        Assert.Empty(silent.Note([other]));
        Assert.Null(silent.Notice(7));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal([other], silent.Note([other]));
        Assert.StartsWith("Process 4711 on host has 92 deliveries in hand and has given no sign of life since 2026-03-01 08:00:00 +00:00: it is stopped", silent.Notice(7), StringComparison.Ordinal);
        Assert.Null(silent.Notice(8));
        Assert.Empty(silent.Note([other]));

        other = other with { LeaseUntil = clock.GetUtcNow() + Lease };
        Assert.Empty(silent.Note([other]));
        Assert.Null(silent.Notice(7));
    }

    [Fact]
    public void Neither_this_process_nor_one_elsewhere_is()
    {
        clock.Advance(10 * Lease);
        Assert.Empty(silent.Note([other with { IsAliveHere = false }, other with { IsAliveHere = false, IsThisProcess = true }]));
    }

    [Fact]
    public void A_clock_that_was_just_set_tells_nothing_of_anybody()
    {
        clock.Advance(Lease);
        Assert.Empty(silent.Note([other]));
        clock.Jump(TimeSpan.FromHours(1));
        Assert.Empty(silent.Note([other]));
        clock.Advance(Lease / 3);
        Assert.Empty(silent.Note([other]));
        // One that is at work has prolonged its lease by now.
        clock.Advance(Lease / 3);
        Assert.Single(silent.Note([other]));
    }

    [Fact]
    public async Task It_keeps_what_it_has_and_the_log_says_so()
    {
        await using var place = EnginePlace.Open(time: clock);
        var (stopped, process) = (place.Start(), place.Start());
        var mailing = await place.PublishAsync(10);
        await place.Database.Mailings.ChangeStateAsync(mailing, [MailingState.Scheduled], MailingState.Sending, null, clock.GetUtcNow(), Cancel);
        var now = clock.GetUtcNow();
        await place.Database.Ledger.ClaimAsync(new ClaimRequest(mailing, 5, new Claimant(stopped.Owner.ForRun(mailing), now, now + Lease)), Cancel);
        clock.Advance(2 * Lease + TimeSpan.FromSeconds(1));
        for (var look = 1; look <= 2; look++) Assert.True(Assert.Single(await process.Engine.RecoverAsync(Cancel)).IsAliveHere);
        Assert.Equal(5, (await place.BalanceAsync(mailing)).Claimed);
        Assert.StartsWith($"week-1: Process {Environment.ProcessId} on this machine has 5 deliveries in hand", Assert.Single(process.Warnings), StringComparison.Ordinal);
    }
}
