using System.Text;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Merging;
using WeeklyDigest.Smtp;
using WeeklyDigest.Tests.Smtp.Dkim;

namespace WeeklyDigest.Tests.Smtp.Postfix;

/// <summary>The whole way to a real mail server and into a maildir.</summary>
public sealed class PostfixTests(PostfixRelay postfix) : IClassFixture<PostfixRelay>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("StartTls", "chunked")]
    [InlineData("Tls", "stuffed")]
    public async Task Delivers_the_composed_bytes_after_a_login_inside_TLS(string security, string way)
    {
        await using var session = new SmtpSession(postfix.Options(Enum.Parse<RelaySecurity>(security)), TimeProvider.System);
        var composer = new MessageComposer(Samples.Content());
        foreach (var (name, abilities) in new[] { ("ada", Samples.Modern), ("bob", Samples.Old), ("jürgen", Samples.Modern) })
        {
            Assert.Equal(Samples.Modern, await session.OpenAsync(Cancel));
            var to = $"{name}.{way}@example.org";
            var message = composer.Compose(Samples.Recipient(to), abilities);
            var outcome = await session.SendAsync(message, Samples.Bounces, Samples.Address(to), Cancel);
            Assert.Equal(SendResult.Accepted, outcome.Result);
            Assert.StartsWith("250 2.0.0 Ok", outcome.Reply, StringComparison.Ordinal);
            var (added, delivered) = Split(await postfix.DeliveredAsync(to));
            Assert.Equal(Encoding.UTF8.GetString(message.Bytes.Span).ReplaceLineEndings("\n"), delivered);
            Assert.Equal(["Return-Path", "X-Original-To", "Delivered-To", "Received"], added);
        }
    }

    [Fact]
    public async Task Leaves_our_signatures_whole()
    {
        await using var session = new SmtpSession(postfix.Options(RelaySecurity.StartTls), TimeProvider.System);
        var signer = DkimKeys.Instance.Both;
        var message = new MessageComposer(Samples.Content(), signer).Compose(Samples.Recipient("signed@example.org"), await session.OpenAsync(Cancel));
        Assert.Equal(SendResult.Accepted, (await session.SendAsync(message, Samples.Bounces, Samples.Address("signed@example.org"), Cancel)).Result);
        var delivered = Encoding.Latin1.GetString(await postfix.DeliveredAsync("signed@example.org")).ReplaceLineEndings("\r\n");
        Assert.Equal(["pass, pass"], await PythonDkim.VerifyAsync(signer, [Encoding.Latin1.GetBytes(delivered)], Cancel));
    }

    [Fact]
    public async Task Refuses_a_wrong_password_and_nothing_arrives()
    {
        var before = postfix.Delivered().Count;
        var relay = postfix.Options(RelaySecurity.StartTls) with { Password = "hunter2 hunter2" };
        var trouble = await AssertRefusedAsync(relay, "535 5.7.8");
        Assert.DoesNotContain("hunter2", trouble.ToString(), StringComparison.Ordinal);
        Assert.Equal(before, postfix.Delivered().Count);
    }

    [Fact]
    public async Task Refuses_a_certificate_of_an_unknown_authority_and_nothing_arrives()
    {
        var before = postfix.Delivered().Count;
        await AssertRefusedAsync(postfix.Options(RelaySecurity.StartTls) with { TrustedCertificates = "" }, "is not valid");
        await AssertRefusedAsync(postfix.Options(RelaySecurity.Tls) with { TrustedCertificates = "" }, "is not valid");
        Assert.Equal(before, postfix.Delivered().Count);
    }

    [Fact]
    public async Task Is_told_for_each_recipient_that_strangers_may_not_relay()
    {
        await using var session = new SmtpSession(postfix.Options(RelaySecurity.StartTls) with { Username = "" }, TimeProvider.System);
        var outcome = await SendAsync(session, Samples.Compose(Samples.Modern));
        Assert.Equal(SendResult.Rejected, outcome.Result);
        Assert.StartsWith("554 5.7.1 <ada@example.org>: ", outcome.Reply, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Is_told_before_a_byte_is_sent_that_a_message_is_too_big_for_anybody()
    {
        await using var session = new SmtpSession(postfix.Options(RelaySecurity.Tls), TimeProvider.System);
        var big = string.Concat(Enumerable.Repeat(new string('x', 70) + "\n", 1 + (PostfixFolder.MessageSizeLimit / 71)));
        var outcome = await SendAsync(session, Samples.Compose(Samples.Modern, content: Samples.Content(text: MergeTemplate.Of(big))));
        Assert.Equal(SendResult.NotStarted, outcome.Result);
        Assert.StartsWith("552 5.3.4", outcome.Reply, StringComparison.Ordinal);
        Assert.False((await Assert.ThrowsAsync<RelayException>(() => session.OpenAsync(Cancel).AsTask())).IsTransient);
    }

    private static async Task<RelayException> AssertRefusedAsync(RelayOptions relay, string words)
    {
        await using var session = new SmtpSession(relay, TimeProvider.System);
        var trouble = await Assert.ThrowsAsync<RelayException>(() => session.OpenAsync(Cancel).AsTask());
        Assert.False(trouble.IsTransient);
        Assert.Contains(words, trouble.Message, StringComparison.Ordinal);
        Assert.Equal(SendResult.NotStarted, (await SendAsync(session, Samples.Compose(Samples.Modern))).Result);
        return trouble;
    }

    private static Task<SendOutcome> SendAsync(SmtpSession session, ComposedMessage message)
        => session.SendAsync(message, Samples.Bounces, Samples.Address("ada@example.org"), Cancel);

    /// <summary>The names of the fields Postfix put on top, and the message below them.</summary>
    private static (List<string> Added, string Message) Split(byte[] delivered)
    {
        var text = Encoding.UTF8.GetString(delivered);
        var at = text.IndexOf("\nFrom: ", StringComparison.Ordinal) + 1;
        return ([.. text[..at].Split('\n').Where(line => line.Length > 0 && !char.IsWhiteSpace(line[0])).Select(line => line.Split(':')[0])], text[at..]);
    }
}

/// <summary>The fixture itself.</summary>
public sealed class PostfixRelayTests
{
    [Fact]
    public async Task Ends_all_its_processes()
    {
        var postfix = new PostfixRelay();
        await using var _ = postfix;
        await postfix.InitializeAsync();
        await using (var session = new SmtpSession(postfix.Options(RelaySecurity.StartTls), TimeProvider.System))
        {
            await session.OpenAsync(TestContext.Current.CancellationToken);
            Assert.True(postfix.Processes().Count > 2, postfix.Log);
            await postfix.StopAsync();
            Assert.Empty(postfix.Processes());
            Assert.Equal(SendResult.NotStarted, (await session.SendAsync(Samples.Compose(Samples.Modern), Samples.Bounces, Samples.Address("ada@example.org"), TestContext.Current.CancellationToken)).Result);
            Assert.True((await Assert.ThrowsAsync<RelayException>(() => session.OpenAsync(TestContext.Current.CancellationToken).AsTask())).IsTransient);
        }
    }
}
