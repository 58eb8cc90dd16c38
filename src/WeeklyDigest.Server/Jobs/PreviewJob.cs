using System.ComponentModel;
using Hangfire;
using Hangfire.Server;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Jobs;

/// <summary>
/// Sends a preview to the editor: of the issue that is named, or of the one the weekly job would send next. Once it chose an issue it deals with no other, however
/// often it is requeued.
/// </summary>
/// <param name="edge">Where its exceptions end.</param>
/// <param name="preview">Sends previews.</param>
/// <param name="candidates">Chooses.</param>
/// <param name="library">The issues folder.</param>
/// <param name="mailings">The mailings.</param>
/// <param name="newsletter">Knows the editor.</param>
internal sealed class PreviewJob(JobEdge edge, PreviewIssue preview, Candidates candidates, IssueLibrary library, IMailingStore mailings, Newsletter newsletter)
{
    /// <summary>Name of the recurring job.</summary>
    public const string Name = "preview-to-self";

    /// <summary>Previews the issue the weekly job would send next, else the newest.</summary>
    [AutomaticRetry(Attempts = 0), DisplayName(Name)]
    public Task<string> RunAsync(PerformContext? context, CancellationToken cancel) => edge.RunAsync(context, async page =>
    {
        var file = page.ChosenIssue is { } chosen ? Find(chosen)
            : await candidates.ToPreviewAsync(await mailings.ListAsync(cancel), cancel) ?? throw new RefusedException("There is no issue in the issues folder.");
        return await SendAsync(page, file, cancel);
    }, cancel);

    /// <summary>Previews one issue.</summary>
    /// <param name="slug">The issue.</param>
    /// <param name="context">Filled in by Hangfire.</param>
    /// <param name="cancel">Filled in by Hangfire.</param>
    [AutomaticRetry(Attempts = 0), DisplayName("preview {0}")]
    public Task<string> OfAsync(string slug, PerformContext? context, CancellationToken cancel) => edge.RunAsync(context, page => SendAsync(page, Find(slug), cancel), cancel);

    private IssueFile Find(string slug) => library.All().FirstOrDefault(file => file.Slug == slug) ?? throw new RefusedException($"There is no issue {slug} in the issues folder.");

    private async Task<string> SendAsync(JobPage page, IssueFile file, CancellationToken cancel)
    {
        page.Choose(file.Slug);
        page.Say($"Sending a preview of {file.Slug}.");
        var reply = await preview.RunAsync(file, to: null, cancel);
        page.Note($"The relay answered: {reply}");
        return page.Finish($"Preview of {file.Slug} sent to {newsletter.Editor?.Address}. Subscribers got nothing.");
    }
}
