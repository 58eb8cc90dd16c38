using MimeKit;
using WeeklyDigest.Audience;
using WeeklyDigest.Publishing;
using WeeklyDigest.Rendering;
using WeeklyDigest.Tests.Relays;
using WeeklyDigest.Tests.Rendering;

namespace WeeklyDigest.Tests.Publishing;

public sealed class PreviewIssueTests
{
    private static readonly Mailbox Editor = new("The Editor", EnginePlace.Address("editor@digest.example"));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_preview_is_the_message_with_a_marked_subject_and_a_link_that_changes_nothing()
    {
        await using var place = EnginePlace.Open(new ScriptedSmtpOptions { KeepBytes = true });
        var reply = await Preview(place).RunAsync(PublishIssueTests.Issue(), null, Cancel);

        Assert.StartsWith("250", reply, StringComparison.Ordinal);
        var message = Read(Assert.Single(place.Server.Accepted));
        Assert.Equal(("[Preview] Week 7", "editor@digest.example"), (message.Subject, message.To.Mailboxes.Single().Address));
        Assert.Contains("Hello there", message.HtmlBody, StringComparison.Ordinal);
        Assert.Contains("https://digest.example/unsubscribe/" + EnginePlace.Tokens.PreviewToken(), message.HtmlBody, StringComparison.Ordinal);
        Assert.Empty(await place.Database.Mailings.ListAsync(Cancel));
    }

    [Fact]
    public async Task Slots_are_those_of_the_subscriber_with_that_address()
    {
        await using var place = EnginePlace.Open(new ScriptedSmtpOptions { KeepBytes = true });
        await place.PublishAsync(3, "another");
        await Preview(place).RunAsync(PublishIssueTests.Issue(), new Mailbox(null, EnginePlace.Address("r2@example.org")), Cancel);
        Assert.Contains("Hello Reader 2", Read(place.Server.Accepted[0]).HtmlBody, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Drafts_and_issues_of_a_later_date_can_be_previewed()
    {
        await using var place = EnginePlace.Open();
        await Preview(place).RunAsync(PublishIssueTests.Issue(more: "draft: true"), null, Cancel);
        await Preview(place).RunAsync(PublishIssueTests.Issue(more: "date: 2999-01-01"), null, Cancel);
        Assert.Equal(2, place.Server.AcceptedCount);
        Assert.Equal(2, place.Server.Accepted.Select(message => message.MessageId).Distinct().Count());
    }

    [Fact]
    public async Task But_for_subject_recipient_and_ids_the_preview_is_what_is_sent()
    {
        await using var place = EnginePlace.Open(new ScriptedSmtpOptions { KeepBytes = true });
        await place.Database.Subscribers.ImportAsync(
            EnginePlace.List("readers"), [new SubscriberRow(1, Editor.Address, "The Editor", new Dictionary<string, string>())], Cancel);
        await Preview(place).RunAsync(PublishIssueTests.Issue(), null, Cancel);
        var publish = new PublishIssue(
            place.Database.Mailings, place.Database.Subscribers, new SyncLists(place.Database.Subscribers, place.DataFolder, place.Time), Renderer(), Rendered.Newsletter, place.Time);
        var mailing = await publish.RunAsync(PublishIssueTests.Issue(), null, null, _ => Task.CompletedTask, Cancel);
        await place.Start().RunAsync(mailing.MailingId);

        var (preview, sent) = (Read(place.Server.Accepted[0]), Read(place.Server.Accepted[1]));
        Assert.Equal(WithoutToken(sent.HtmlBody), WithoutToken(preview.HtmlBody));
        Assert.Equal(WithoutToken(sent.TextBody), WithoutToken(preview.TextBody));
        Assert.Equal("[Preview] " + sent.Subject, preview.Subject);
        Assert.Equal(sent.Headers.Select(header => header.Field), preview.Headers.Select(header => header.Field));
    }

    [Fact]
    public async Task What_the_relay_says_against_it_is_told()
    {
        await using var place = EnginePlace.Open(moment => moment.Stage == SmtpStage.RcptTo ? SmtpMove.Reply("550 5.1.1 no such editor") : SmtpMove.Accept);
        var failure = await Assert.ThrowsAsync<RefusedException>(() => Preview(place).RunAsync(PublishIssueTests.Issue(), null, Cancel));
        Assert.Contains("550 5.1.1 no such editor", failure.Message, StringComparison.Ordinal);

        place.Server.Script = moment => moment.Stage == SmtpStage.Connect ? SmtpMove.ReplyThenClose("554 5.7.1 go away") : SmtpMove.Accept;
        failure = await Assert.ThrowsAsync<RefusedException>(() => Preview(place).RunAsync(PublishIssueTests.Issue(), null, Cancel));
        Assert.Contains("go away", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_does_not_wait_for_a_relay_that_is_set_aside_meanwhile()
    {
        await using var place = EnginePlace.Open();
        var sessions = place.Start(relay => relay with { Connections = 1 }).Sessions;
        var lent = await sessions.RentAsync(Cancel);
        var preview = Preview(place, sessions: sessions).RunAsync(PublishIssueTests.Issue(), null, Cancel);
        await Eventually.HoldsAsync(() => sessions.HasWaiters, "the preview waits for its turn");
        lent.Relay.SetAside("535 5.7.8 wrong password.");
        var failure = await Assert.ThrowsAsync<RefusedException>(() => preview.WaitAsync(TimeSpan.FromSeconds(20), Cancel));
        Assert.Equal("The preview was not sent. 535 5.7.8 wrong password.", failure.Message);

        // The next one gives the relay its chance, over the connection that is back.
        sessions.Return(lent);
        Assert.False(sessions.HasWaiters);
        await Preview(place, sessions: sessions).RunAsync(PublishIssueTests.Issue(), null, Cancel);
    }

    [Fact]
    public async Task Without_an_editor_or_with_errors_nothing_is_sent()
    {
        await using var place = EnginePlace.Open();
        var failure = await Assert.ThrowsAsync<RefusedException>(() => Preview(place, Rendered.Newsletter).RunAsync(PublishIssueTests.Issue(), null, Cancel));
        Assert.Contains("Newsletter:Editor", failure.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<RefusedException>(() => Preview(place).RunAsync(PublishIssueTests.Issue(body: "{{ nobody }}"), null, Cancel));
        Assert.Equal(0, place.Server.Connections);
    }

    private static PreviewIssue Preview(EnginePlace place, Newsletter? newsletter = null, SessionPool? sessions = null) => new(
        Renderer(), place.Database.Subscribers, newsletter ?? Rendered.Newsletter with { Editor = Editor }, EnginePlace.Tokens, null, sessions ?? place.Start().Sessions, place.Time);

    private static IssueRenderer Renderer() => Rendered.Renderer(Path.Combine(Workspace.RepositoryRoot, "templates"));

    private static MimeMessage Read(AcceptedMessage message) => MimeMessage.Load(new MemoryStream(message.Bytes.ToArray()), Cancel);

    private static string WithoutToken(string? body) => System.Text.RegularExpressions.Regex.Replace(body!, "/unsubscribe/[A-Za-z0-9_-]{43}", "/unsubscribe/TOKEN");
}
