using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Feedback;
using WeeklyDigest.Tests.Publishing;

namespace WeeklyDigest.Tests.Feedback;

public sealed class UnsubscribeTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Looking_changes_nothing_and_leaving_ends_the_subscription()
    {
        await using var place = EnginePlace.Open();
        var mailing = await place.PublishAsync(3);
        await place.Start().RunAsync(mailing);
        var row = (await place.DeliveriesAsync(mailing))[1];
        var token = EnginePlace.Tokens.UnsubscribeToken(new DeliveryId(mailing, row.SubscriberId));
        var unsubscribe = For(place);

        for (var i = 0; i < 5; i++)
        {
            var (result, subscriber) = await unsubscribe.LookAsync(token, Cancel);
            Assert.Equal((UnsubscribeResult.Subscriber, row.Address, SubscriberStatus.Active), (result, subscriber!.Address.Value, subscriber.Status));
        }
        Assert.Equal(0, (await place.BalanceAsync(mailing)).Unsubscribed);

        for (var i = 0; i < 2; i++) Assert.Equal(UnsubscribeResult.Subscriber, await unsubscribe.LeaveAsync(token, Cancel));
        Assert.Equal(SubscriberStatus.Unsubscribed, (await unsubscribe.LookAsync(token, Cancel)).Subscriber!.Status);
        Assert.Equal((3L, 1L), ((await place.BalanceAsync(mailing)).Sent, (await place.BalanceAsync(mailing)).Unsubscribed));
    }

    [Fact]
    public async Task A_previews_link_and_a_made_up_one_change_nothing()
    {
        await using var place = EnginePlace.Open();
        var mailing = await place.PublishAsync(3);
        var unsubscribe = For(place);
        var preview = EnginePlace.Tokens.PreviewToken();
        var nobody = EnginePlace.Tokens.UnsubscribeToken(new DeliveryId(mailing, 4711));

        Assert.Equal((UnsubscribeResult.PreviewLink, null), await unsubscribe.LookAsync(preview, Cancel));
        Assert.Equal(UnsubscribeResult.PreviewLink, await unsubscribe.LeaveAsync(preview, Cancel));
        foreach (var token in new[] { "", "x", nobody, preview[..42] + "!" })
        {
            Assert.Equal((UnsubscribeResult.UnknownLink, null), await unsubscribe.LookAsync(token, Cancel));
            Assert.Equal(UnsubscribeResult.UnknownLink, await unsubscribe.LeaveAsync(token, Cancel));
        }
        Assert.Equal(3, (await place.Database.Subscribers.ListsAsync(Cancel))[0].Active);
    }

    private static Unsubscribe For(EnginePlace place)
        => new(EnginePlace.Tokens, place.Database.Subscribers, place.Database.Mailings.NoteUnsubscribedAsync, place.Time);
}
