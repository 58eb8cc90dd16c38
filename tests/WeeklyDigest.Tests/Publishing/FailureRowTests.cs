using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Publishing;

public sealed class FailureRowTests
{
    private static readonly SendOutcome Accepted = new(SendResult.Accepted, "250 ok");
    private static readonly SendOutcome Refused = new(SendResult.Rejected, "550 no");
    private static readonly SendOutcome Lost = new(SendResult.Unknown, "closed after the final dot");

    [Fact]
    public void Pauses_when_refusals_do_not_end()
    {
        var row = new FailureRow(3);
        Assert.Null(row.Note(Refused));
        Assert.Null(row.Note(Refused));
        Assert.Equal("3 recipients in a row were refused; the last reply was: 550 no", row.Note(Refused));
    }

    [Fact]
    public void Pauses_when_every_answer_is_lost()
    {
        var row = new FailureRow(2);
        Assert.Null(row.Note(Lost));
        Assert.Equal("2 recipients in a row were refused or left without an answer; the last reply was: closed after the final dot", row.Note(Lost));
    }

    [Fact]
    public void Begins_anew_after_a_message_that_was_accepted()
    {
        var row = new FailureRow(2);
        Assert.Null(row.Note(Lost));
        Assert.Null(row.Note(Accepted));
        Assert.Null(row.Note(Refused));
    }

    [Fact]
    public void A_relay_that_could_not_be_used_is_nobodys_failure()
    {
        var row = new FailureRow(2);
        Assert.Null(row.Note(Refused));
        Assert.Null(row.Note(new SendOutcome(SendResult.NotStarted, "down")));
        Assert.NotNull(row.Note(Refused));
    }
}
