using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>A mailing that another program pauses while it is being sent.</summary>
public sealed class PausedMailingTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_relay_is_told_of_few_recipients_who_get_nothing()
    {
        await using var place = EnginePlace.Open();
        var mailing = await place.PublishAsync(2000);
        var running = place.Start().RunAsync(mailing);
        await place.Server.WaitForAcceptedAsync(50, Limit);
        Assert.True(await place.Database.Mailings.ChangeStateAsync(mailing, [MailingState.Sending], MailingState.Paused, "by hand", place.Time.GetUtcNow(), Cancel));
        Assert.Equal(MailingState.Paused, (await running.WaitAsync(Limit, Cancel)).State);
        var balance = await place.ReconcileAsync(mailing);
        Assert.Equal(2000, balance.Sent + balance.Pending);
        Assert.InRange(balance.Pending, 1, 1950);
        // Each of four connections may have said one when it found out, and another before it did.
        Assert.InRange(place.Server.Commands.Count(command => command.Line.StartsWith("RSET", StringComparison.Ordinal)), 0, 8);
    }
}
