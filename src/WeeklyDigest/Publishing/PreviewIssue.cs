using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Feedback;
using WeeklyDigest.Issues;
using WeeklyDigest.Rendering;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Publishing;

/// <summary>Preview-to-self: the same message through the same path, to the editor only, its subject marked, without a delivery row.</summary>
/// <param name="renderer">The renderer of real issues.</param>
/// <param name="subscribers">Looked up for the slots.</param>
/// <param name="newsletter">The identity.</param>
/// <param name="tokens">Makes the link that changes nothing.</param>
/// <param name="signer">Signs the message as it signs those of real deliveries; null: it goes out unsigned.</param>
/// <param name="sessions">The connections of real deliveries.</param>
/// <param name="time">The clock.</param>
public sealed class PreviewIssue(
    IssueRenderer renderer,
    ISubscriberStore subscribers,
    Newsletter newsletter,
    LinkTokens tokens,
    DkimSigner? signer,
    SessionPool sessions,
    TimeProvider time)
{
    private static readonly TimeSpan RelayLook = TimeSpan.FromSeconds(1);

    /// <summary>Sends the preview; drafts and issues of a later date can be previewed.</summary>
    /// <param name="issue">An issue file.</param>
    /// <param name="to">Where to; null: the newsletter's editor.</param>
    /// <param name="cancel">Stops waiting.</param>
    /// <returns>The relay's reply.</returns>
    /// <exception cref="RefusedException">Errors in the issue, no editor set, or the relay refused.</exception>
    /// <exception cref="TemplateException">A template cannot be used.</exception>
    public async Task<string> RunAsync(IssueFile issue, Mailbox? to, CancellationToken cancel)
    {
        var ready = Preflight.Require(issue);
        var recipient = Recipient(to);
        return await SendAsync(await MessagesAsync(ready, cancel), recipient, cancel);
    }

    /// <summary>Sends the preview of an issue that is published: of what goes out, whatever became of its file.</summary>
    /// <param name="issue">The issue.</param>
    /// <param name="frozen">What was published of it.</param>
    /// <param name="to">Where to; null: the newsletter's editor.</param>
    /// <param name="cancel">Stops waiting.</param>
    /// <returns>The relay's reply.</returns>
    /// <exception cref="RefusedException">No editor set, or the relay refused.</exception>
    public Task<string> RunAsync(IssueSlug issue, FrozenContent frozen, Mailbox? to, CancellationToken cancel)
    {
        // A Date of weeks ahead would stay on top of the mailbox, or be taken for spam.
        var today = frozen with { Date = time.GetUtcNow() };
        return SendAsync(new MailingMessages(issue.Value, today, tokens), Recipient(to), cancel);
    }

    private Mailbox Recipient(Mailbox? to)
        => to ?? newsletter.Editor ?? throw new RefusedException("Nobody to preview to: set Newsletter:Editor, or name an address with --to.");

    private async Task<string> SendAsync(MailingMessages messages, Mailbox recipient, CancellationToken cancel)
    {
        var subscriber = await subscribers.FindAsync(recipient.Address, cancel);
        var outcome = await SendAsync(messages, messages.ForPreview(recipient, subscriber), cancel);
        return outcome.Result == SendResult.Accepted
            ? outcome.Reply
            : throw new RefusedException($"The preview to {recipient.Address} was not accepted ({outcome.Result}): {outcome.Reply}");
    }

    private async Task<MailingMessages> MessagesAsync(Issue issue, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        var shown = issue.Date ?? DateOnly.FromDateTime(time.GetLocalNow().DateTime);
        var email = await renderer.RenderAsync(issue, newsletter, shown, cancel);
        return new MailingMessages(issue.Slug.Value, new FrozenContent(newsletter, issue.Title, issue.Permalink, email, "", now), tokens);
    }

    // The editor asks for it: a relay that was set aside gets its chance, and where one fails the next one steps in.
    private async Task<SendOutcome> SendAsync(MailingMessages messages, MessageRecipient recipient, CancellationToken cancel)
    {
        sessions.TakeBack();
        for (var left = sessions.Relays.Count; ; left--)
        {
            try
            {
                if (await SendOverOneAsync(messages, recipient, cancel) is { } outcome) return outcome;
                left++;
            }
            catch (RelayException failure)
            {
                if (left <= 1 || sessions.Capacity == 0) throw NotSent(failure.Message);
            }
        }
    }

    /// <returns>Null when the relay's rate says later.</returns>
    private async Task<SendOutcome?> SendOverOneAsync(MailingMessages messages, MessageRecipient recipient, CancellationToken cancel)
    {
        var session = await RentAsync(cancel);
        try
        {
            if (!await session.ReadyAsync(cancel)) return null;
            var composer = new MessageComposer(messages.PreviewContent(), signer);
            var first = await TryAsync(session, composer, messages.Sender, recipient, cancel);
            // A connection kept from before may have gone stale; nothing went out, so a fresh one may try.
            return first.Result == SendResult.NotStarted ? await TryAsync(session, composer, messages.Sender, recipient, cancel) : first;
        }
        finally
        {
            sessions.Return(session);
        }
    }

    // While it waits for its turn the last relay may be set aside: a mailing waits for the editor then, who looks at the preview.
    private async Task<PooledSession> RentAsync(CancellationToken cancel)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var renting = sessions.RentAsync(enough.Token);
        string? reasons = null;
        while (!renting.IsCompleted && (reasons = sessions.NoneLeft) is null) await Task.WhenAny(renting, Task.Delay(RelayLook, time, enough.Token));
        await enough.CancelAsync();
        try
        {
            return await renting;
        }
        catch (OperationCanceledException) when (reasons is not null && !cancel.IsCancellationRequested)
        {
            throw NotSent(reasons);
        }
    }

    private static RefusedException NotSent(string why) => new("The preview was not sent. " + why);

    private static async Task<SendOutcome> TryAsync(
        PooledSession session, MessageComposer composer, EmailAddress sender, MessageRecipient recipient, CancellationToken cancel)
    {
        var abilities = await session.OpenAsync(cancel);
        return await OwnThread.BlockAsync(() => session.Send(composer.Compose(recipient, abilities), sender, recipient.To.Address, cancel));
    }
}
