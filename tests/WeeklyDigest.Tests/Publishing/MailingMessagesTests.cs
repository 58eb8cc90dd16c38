using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Merging;
using WeeklyDigest.Publishing;
using WeeklyDigest.Rendering;

namespace WeeklyDigest.Tests.Publishing;

public sealed class MailingMessagesTests
{
    [Theory]
    [InlineData("WeeklyDigest", "weeklydigest.weekly.example", "week-1:weeklydigest:newsletter:weeklydigest")]
    [InlineData("Café & Söhne: News!", "cafe-sohne-news.weekly.example", "week-1:cafe-sohne-news:newsletter:cafe-sohne-news")]
    [InlineData("One\uFFFETwo", "one-two.weekly.example", "week-1:one-two:newsletter:one-two")]
    [InlineData("AI", "ai.weekly.example", "week-1:ai:newsletter:ai-news")]
    [InlineData("週刊", "newsletter.weekly.example", "week-1:newsletter:newsletter:newsletter")]
    [InlineData("The very long name of a newsletter", "the-very-long-name-of-a-newsletter.weekly.example", "week-1:the-very-long-name-of-a-newsletter:newsletter:the-very-long-n")]
    public void Names_become_identifiers(string name, string listId, string feedbackId)
    {
        var content = Messages(name).Content;
        Assert.Equal((listId, name, feedbackId), (content.ListId, content.ListName, content.FeedbackId));
    }

    [Fact]
    public void A_recipients_message_is_always_the_same()
    {
        var subscriber = new Subscriber(7, EnginePlace.Address("ada@example.org"), "Ada", new Dictionary<string, string> { ["city"] = "London" }, SubscriberStatus.Active, []);
        var delivery = new DeliveryId(1, 7);
        var recipient = Messages("Weekly").For(delivery, subscriber);
        var token = EnginePlace.Tokens.UnsubscribeToken(delivery);

        Assert.Equal(recipient, Messages("Weekly").For(delivery, subscriber));
        Assert.Equal(EnginePlace.Tokens.MessageIdLeft(delivery) + "@weekly.example", recipient.MessageId);
        Assert.Equal("https://weekly.example/unsubscribe/" + token, recipient.Values.UnsubscribeUrl);
        Assert.Equal(token, recipient.UnsubscribeToken);
        Assert.Equal(("Ada", "London"), (recipient.Values.Name, recipient.Values.Attributes["city"]));
    }

    [Fact]
    public void The_boundary_comes_from_the_content()
    {
        var one = Messages("Weekly").Content.Boundary;
        Assert.Equal(one, Messages("Weekly").Content.Boundary);
        Assert.NotEqual(one, Messages("Weekly", hash: new string('b', 64)).Content.Boundary);
        Assert.Matches("^[A-Za-z0-9_]{1,70}$", one);
    }

    [Fact]
    public void A_previews_subject_is_marked_even_when_it_starts_with_a_slot()
    {
        var name = new MergePart(null, new MergeSlot(MergeField.Name, null, "Reader"), MergeEncoding.Plain);
        var subject = Messages("Weekly", new MergeTemplate([name, new MergePart(", hello", null, MergeEncoding.Plain)])).PreviewContent().Subject;
        Assert.Equal("[Preview] Reader, hello", subject.Fill(new MergeValues(null, "", new Dictionary<string, string>(), "")));
        Assert.Equal("[Preview] Hello", Assert.Single(Messages("Weekly", MergeTemplate.Of("Hello")).PreviewContent().Subject.Parts).Text);
    }

    private static MailingMessages Messages(string name, MergeTemplate? subject = null, string? hash = null)
    {
        var newsletter = new Newsletter(name, new Mailbox(name, EnginePlace.Address("news@weekly.example")), null, new Uri("https://weekly.example/"), "1 Street", "en", null);
        var email = new RenderedEmail(subject ?? MergeTemplate.Of("Hello"), MergeTemplate.Of("<p>Hi</p>"), MergeTemplate.Of("Hi"), hash ?? new string('a', 64));
        return new MailingMessages("week-1", new FrozenContent(newsletter, "Week 1", "/posts/week-1", email, "", DateTimeOffset.UnixEpoch), EnginePlace.Tokens);
    }
}
