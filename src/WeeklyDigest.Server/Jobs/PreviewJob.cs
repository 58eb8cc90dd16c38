using System.ComponentModel;
using Hangfire;
using Hangfire.Server;
using WeeklyDigest.Issues;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Commands;

namespace WeeklyDigest.Server.Jobs;

/// <summary>
/// Sends a preview to the editor: of the issue that is named, or of the one the weekly job would send next. Once it chose an issue it deals with no other, however
/// often it is requeued. Of an issue that is published and not yet out it is what was published, whatever became of its file.
/// </summary>
/// <param name="edge">Where its exceptions end.</param>
/// <param name="preview">Sends previews.</param>
/// <param name="candidates">Chooses.</param>
/// <param name="library">The issues folder.</param>
/// <param name="mailings">The mailings.</param>
/// <param name="changes">Tells what became of published issues.</param>
/// <param name="newsletter">Knows the editor.</param>
internal sealed class PreviewJob(
    JobEdge edge, PreviewIssue preview, Candidates candidates, IssueLibrary library, IMailingStore mailings, FileChanges changes, Newsletter newsletter)
{
    /// <summary>Name of the recurring job.</summary>
    public const string Name = "preview-to-self";

    /// <summary>Previews the issue the weekly job would send next, else the newest.</summary>
    [AutomaticRetry(Attempts = 0), DisplayName(Name)]
    public Task<string> RunAsync(PerformContext? context, CancellationToken cancel) => edge.RunAsync(context, async page =>
    {
        var slug = page.ChosenIssue
            ?? (await candidates.ToPreviewAsync(await mailings.ListAsync(cancel), cancel) ?? throw new RefusedException("There is no issue in the issues folder.")).Slug;
        return await SendAsync(page, slug, cancel);
    }, cancel);

    /// <summary>Previews one issue.</summary>
    /// <param name="slug">The issue.</param>
    /// <param name="context">Filled in by Hangfire.</param>
    /// <param name="cancel">Filled in by Hangfire.</param>
    [AutomaticRetry(Attempts = 0), DisplayName("preview {0}")]
    public Task<string> OfAsync(string slug, PerformContext? context, CancellationToken cancel) => edge.RunAsync(context, page => SendAsync(page, slug, cancel), cancel);

    private async Task<string> SendAsync(JobPage page, string slug, CancellationToken cancel)
    {
        var file = library.All().FirstOrDefault(file => file.Slug == slug);
        var mailing = IssueSlug.TryParse(slug, out var valid) ? await mailings.FindAsync(valid, cancel) : null;
        if (mailing is { IsOver: false }) return await OfMailingAsync(page, mailing, file, cancel);
        if (file is null) throw new RefusedException($"There is no issue {slug} in the issues folder.");
        Begin(page, slug);
        return End(page, slug, await preview.RunAsync(file, to: null, cancel));
    }

    private async Task<string> OfMailingAsync(JobPage page, Mailing mailing, IssueFile? file, CancellationToken cancel)
    {
        Begin(page, mailing.Issue.Value);
        var content = await mailings.ContentAsync(mailing.Id, cancel);
        var change = await changes.OfAsync(mailing, file, cancel);
        if (change != FileChange.None) page.Note(FileWords.OnDashboard(mailing, change));
        return End(page, $"{mailing.Issue} as it was published", await preview.RunAsync(mailing.Issue, content, to: null, cancel));
    }

    private static void Begin(JobPage page, string slug)
    {
        page.Choose(slug);
        page.Say($"Sending a preview of {slug}.");
    }

    private string End(JobPage page, string what, string reply)
    {
        page.Note($"The relay answered: {reply}");
        return page.Finish($"Preview of {what} sent to {newsletter.Editor?.Address}. Subscribers got nothing.");
    }
}
