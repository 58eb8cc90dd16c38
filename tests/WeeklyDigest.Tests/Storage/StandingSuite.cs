using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Tests.Storage;

/// <summary>Status and suppression each keep somebody out on their own, at every gate; set in the database directly, as bounces will set them.</summary>
public abstract class StandingSuite<TPlace> : StorageSuite<TPlace> where TPlace : IDatabasePlace, new()
{
    private const string Bounce = "UPDATE subscriber SET status = 'bounced' WHERE address = 'reader1@example.org'";
    private const string Unconfirm = "UPDATE subscriber SET status = 'pending' WHERE address = 'reader1@example.org'";
    private const string Suppress = "INSERT INTO suppression (address, reason, source, at) VALUES ('reader1@example.org', 'complained', 'report', 0)";

    [Theory]
    [InlineData(Bounce)]
    [InlineData(Unconfirm)]
    [InlineData(Suppress)]
    public async Task Publishing_leaves_them_out(string change)
    {
        await Import("readers", "reader1@example.org", "reader2@example.org");
        Place.Execute(change);
        Assert.Equal(1, (await Publish()).Added);
        Assert.Equal([new ListSummary(List("readers"), 1, 2)], await Subscribers.ListsAsync(Cancel));
    }

    [Theory]
    [InlineData(Bounce, "Not sent: the subscriber is bounced.")]
    [InlineData(Unconfirm, "Not sent: the subscriber is pending.")]
    [InlineData(Suppress, "Not sent: the address is suppressed (complained).")]
    public async Task A_claim_and_the_mark_before_data_leave_them_out_and_say_why(string change, string reply)
    {
        var mailing = await Published(1);
        var row = (await Claim(mailing)).Single();
        Place.Execute(change);
        Assert.Equal(LedgerWriteResult.Suppressed, await Write(row, DeliveryState.Claimed, DeliveryState.Sending));
        Assert.Equal((DeliveryState.Suppressed, reply), ((await Report(row.Id)).State, (await Report(row.Id)).Reply));

        Place.Execute("UPDATE delivery SET state = 'pending', reply = NULL");
        Assert.Empty(await Claim(mailing));
        Assert.Equal((DeliveryState.Suppressed, reply), ((await Report(row.Id)).State, (await Report(row.Id)).Reply));
    }

    [Theory]
    [InlineData(Bounce)]
    [InlineData(Unconfirm)]
    [InlineData(Suppress)]
    public async Task An_import_leaves_them_as_they_are_and_adding_brings_back_who_bounced_alone(string change)
    {
        await Import("readers", "reader1@example.org");
        Place.Execute(change);
        var row = Row("reader1@example.org", "Eve");
        Assert.Equal(new ImportCounts(0, 0, 1, 1), await Subscribers.ImportAsync(List("readers"), [row, row], Cancel));
        Assert.Null((await Subscribers.FindAsync(row.Address, Cancel))!.Name);
        var added = await Subscribers.AddAsync(List("readers"), row.Address, "Eve", row.Attributes, Cancel);
        Assert.Equal(change == Bounce ? (AddOutcome.BroughtBack, "Eve") : (AddOutcome.KeptOut, null), (added.Outcome, (await Subscribers.FindAsync(row.Address, Cancel))!.Name));
    }

    [Fact]
    public async Task An_address_that_was_suppressed_before_it_subscribed_never_does()
    {
        Place.Execute(Suppress);
        Assert.Equal(new ImportCounts(1, 0, 1, 1), await Import("readers", "reader1@example.org", "reader1@example.org", "reader2@example.org"));
        Assert.Null(await Subscribers.FindAsync(Address("reader1@example.org"), Cancel));
        var refused = await Subscribers.AddAsync(List("readers"), Address("reader1@example.org"), null, new Dictionary<string, string>(), Cancel);
        Assert.Equal((AddOutcome.KeptOut, null, "complained"), (refused.Outcome, refused.Subscriber, refused.Suppression!.Reason));
        Assert.Equal("report", (await Subscribers.FindSuppressionAsync(Address("reader1@example.org"), Cancel))!.Source);
    }
}
