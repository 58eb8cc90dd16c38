using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Publishing;

public sealed class FailureRowsTests
{
    private static readonly SendOutcome Accepted = new(SendResult.Accepted, "250 ok");
    private static readonly SendOutcome Refused = new(SendResult.Rejected, "550 no");
    private static readonly SendOutcome NoUser = new(SendResult.Rejected, "550 5.1.1 no such user") { Refusal = Refusal.Address };
    private static readonly SendOutcome Lost = new(SendResult.Unknown, "closed after the final dot");

    [Fact]
    public void Pauses_when_refusals_do_not_end()
    {
        var rows = new FailureRows(3);
        Assert.Null(Note(rows, Refused));
        Assert.Null(Note(rows, Refused));
        Assert.Equal("3 recipients in a row were refused; the last reply was: 550 no", Note(rows, Refused));
    }

    [Fact]
    public void Pauses_when_every_answer_is_lost()
    {
        var rows = new FailureRows(2);
        Assert.Null(Note(rows, Lost));
        Assert.Equal("2 recipients in a row were refused or left without an answer; the last reply was: closed after the final dot", Note(rows, Lost));
    }

    [Fact]
    public void Begins_anew_after_a_message_that_was_accepted()
    {
        var rows = new FailureRows(2);
        Assert.Null(Note(rows, Lost));
        Assert.Null(Note(rows, Accepted));
        Assert.Null(Note(rows, Refused));
    }

    [Fact]
    public void A_relay_that_could_not_be_used_is_nobodys_failure()
    {
        var rows = new FailureRows(2);
        Assert.Null(Note(rows, Refused));
        Assert.Null(Note(rows, new SendOutcome(SendResult.NotStarted, "down")));
        Assert.NotNull(Note(rows, Refused));
    }

    [Fact]
    public void Each_relay_has_its_own_row()
    {
        var rows = new FailureRows(2);
        Assert.Null(Note(rows, Refused, "bad"));
        Assert.Null(Note(rows, Accepted, "good"));
        Assert.NotNull(Note(rows, Refused, "bad"));
        Assert.NotNull(Note(rows, Refused, "bad"));
        Assert.Null(Note(rows, Accepted, "bad"));
        Assert.Null(Note(rows, Refused, "bad"));
    }

    [Fact]
    public void Whose_address_is_refused_in_a_row_that_is_too_long_is_doubted()
    {
        var rows = new FailureRows(3);
        Note(rows, NoUser, subscriber: 1);
        Note(rows, Accepted, subscriber: 2);
        for (var subscriber = 3; subscriber <= 4; subscriber++) Note(rows, NoUser, subscriber: subscriber);
        Assert.Empty(rows.Doubted);
        Note(rows, Lost, subscriber: 5);
        Note(rows, NoUser, subscriber: 6);
        Assert.Equal([3L, 4, 6], rows.Doubted.Select(delivery => delivery.Id.SubscriberId));
    }

    private static string? Note(FailureRows rows, SendOutcome outcome, string relay = "main", long subscriber = 1)
    {
        Assert.True(EmailAddress.TryParse("reader@example.org", out var address));
        var reader = new Subscriber(subscriber, address, null, new Dictionary<string, string>(), SubscriberStatus.Active, []);
        return rows.Note(relay, new Delivery(new DeliveryId(1, subscriber), 1, 0, null, reader, 0, 1), outcome);
    }
}
