using Microsoft.AspNetCore.Http.Metadata;
using WeeklyDigest.Audience;
using WeeklyDigest.Feedback;

namespace WeeklyDigest.Server.Public;

/// <summary>
/// The page behind every message's unsubscribe link. GET changes nothing, since link scanners open every link; POST ends the
/// subscription at once, from the page's button as from a mail program (one-click, RFC 8058 section 3.1). The token is the credential:
/// there is no cookie and no form token to ask for, and what the body says does not matter.
/// </summary>
/// <param name="unsubscribe">What the links do.</param>
/// <param name="newsletter">What one leaves.</param>
internal sealed class UnsubscribePages(Unsubscribe unsubscribe, Newsletter newsletter)
{
    /// <summary>What a page says whose link is none of ours; the doctor knows us by it.</summary>
    public const string UnknownLink = "This link does not work";

    private const string Address = "/unsubscribe/{token}";

    /// <summary>Answers <c>/unsubscribe/{token}</c>.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapMethods(Address, [HttpMethods.Get, HttpMethods.Head], ShowAsync).AllowAnonymous().WithMetadata(PagePolicy.Token, ReaderWords.Page);
        routes.MapPost(Address, LeaveAsync).AllowAnonymous().WithMetadata(PagePolicy.Token, ReaderWords.NotUnsubscribed, new SmallBody());
    }

    private async Task<SitePage> ShowAsync(string token, CancellationToken cancel)
    {
        var (result, subscriber) = await unsubscribe.LookAsync(token, cancel);
        return result switch
        {
            UnsubscribeResult.PreviewLink => Preview(),
            // Who bounced may be brought back: leaving is another matter.
            UnsubscribeResult.Subscriber when subscriber?.Status is SubscriberStatus.Unsubscribed or SubscriberStatus.Complained => Done(),
            UnsubscribeResult.Subscriber => Ask(),
            _ => Unknown(),
        };
    }

    // Carried through although who asked may have hung up: a mail provider waits for a moment and asks once, and the database may be locked for longer.
    private async Task<SitePage> LeaveAsync(string token) => await unsubscribe.LeaveAsync(token, CancellationToken.None) switch
    {
        UnsubscribeResult.PreviewLink => Preview(),
        UnsubscribeResult.Subscriber => Done(),
        _ => Unknown(),
    };

    private SitePage Ask() => Page("Unsubscribe", Html.Of(
        $"""
        <p>Press the button and you will get no further issue of {newsletter.Name}.</p>
        <form method="post"><button class="primary">Unsubscribe</button></form>
        """));

    // The same words whether it happened now or earlier.
    private SitePage Done() => Page("You are unsubscribed", Html.Of(
        $"<p>You will get no further issue of {newsletter.Name}. There is nothing else to do.</p>"));

    private SitePage Preview() => Page("This is a preview", Html.Of(
        $"""
        <p>A reader finds a button here that ends the subscription. You came from a preview sent to the editor, so there is nobody to
        unsubscribe, and nothing has changed.</p>
        """));

    private SitePage Unknown() => Page(UnknownLink, Html.Of(
        $"""
        <p>The address is not complete, or it is not one of ours. Mail programs sometimes break long links: open it again from the
        message, or copy the whole of it.</p>
        <p>You can also reply to any issue and ask to be unsubscribed.</p>
        """), StatusCodes.Status404NotFound);

    private SitePage Page(string heading, Html body, int status = StatusCodes.Status200OK)
        => SitePage.Statement(heading, body, status) with { Title = heading + " – " + newsletter.Name, Header = ArchivePages.Masthead(newsletter) };

    // One-click bodies have 26 bytes.
    private sealed record SmallBody : IRequestSizeLimitMetadata
    {
        public long? MaxRequestBodySize => 64 * 1024;
    }
}
