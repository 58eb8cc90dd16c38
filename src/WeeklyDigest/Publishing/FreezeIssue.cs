using WeeklyDigest.Issues;
using WeeklyDigest.Rendering;

namespace WeeklyDigest.Publishing;

/// <summary>Renders what a mailing keeps of its issue, and tells whether the issue has changed since.</summary>
internal sealed class FreezeIssue(IssueRenderer renderer, Newsletter newsletter, TimeProvider time)
{
    /// <summary>The content of an issue that goes out at a time: its Date header, and the day it shows unless it has one of its own.</summary>
    /// <exception cref="TemplateException">A template cannot be used.</exception>
    public async Task<FrozenContent> RunAsync(Issue issue, DateTimeOffset date, CancellationToken cancel)
    {
        var shown = issue.Date ?? DateOf(date);
        // Before the rendering: a file that is saved in between counts as changed later.
        var source = await renderer.SourceHashAsync(issue, newsletter, shown, cancel);
        var email = await renderer.RenderAsync(issue, newsletter, shown, cancel);
        var web = await renderer.RenderWebAsync(issue, newsletter, shown, cancel);
        return new FrozenContent(newsletter, issue.Title, issue.Permalink, email, web, WholeSeconds(date), source, issue.Hash, shown);
    }

    /// <summary>Whether an issue, a template or the newsletter's identity has changed since the content was frozen.</summary>
    /// <remarks>
    /// Rendered for the day it was published, so that a date shown in the issue makes no difference of its own. A template that broke since, or cannot be read, is one.
    /// </remarks>
    public Task<bool> DiffersAsync(FrozenContent frozen, Issue issue, CancellationToken cancel) => DiffersAsync(FrozenMark.Of(frozen), issue, cancel);

    /// <summary>As above, for who keeps the mark alone.</summary>
    public async Task<bool> DiffersAsync(FrozenMark frozen, Issue issue, CancellationToken cancel)
    {
        try
        {
            // Compiling the templates takes seconds, and a send that is resumed should go on at once.
            if (await SourceAsync(frozen, issue, cancel) is not { } source) return true;
            if (source == frozen.SourceHash) return false;
            var now = await renderer.RenderAsync(issue, newsletter, ShownDate(frozen, issue), cancel);
            return now.Hash != frozen.EmailHash;
        }
        catch (Exception problem) when (IsOfTemplates(problem))
        {
            return true;
        }
    }

    /// <summary>Hash of what an issue would be rendered from, on the day it was published; null when a template cannot be read.</summary>
    public async Task<string?> SourceAsync(FrozenMark frozen, Issue issue, CancellationToken cancel)
    {
        try
        {
            return await renderer.SourceHashAsync(issue, newsletter, ShownDate(frozen, issue), cancel);
        }
        catch (Exception problem) when (IsOfTemplates(problem))
        {
            return null;
        }
    }

    // A file that cannot be read may be readable in a moment; what is frozen goes out either way.
    private static bool IsOfTemplates(Exception problem) => problem is TemplateException or IOException or UnauthorizedAccessException;

    private DateOnly ShownDate(FrozenMark frozen, Issue issue) => issue.Date ?? DateOf(frozen.Date);

    private DateOnly DateOf(DateTimeOffset moment) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(moment, time.LocalTimeZone).DateTime);

    // The Date header has whole seconds; so does what is frozen, and reading it back gives the same.
    private static DateTimeOffset WholeSeconds(DateTimeOffset moment) => moment.AddTicks(-(moment.Ticks % TimeSpan.TicksPerSecond));
}

/// <summary>What of a frozen content tells whether an issue has changed since.</summary>
/// <param name="Date">The Date header.</param>
/// <param name="SourceHash">Hash of what it was rendered from, or null.</param>
/// <param name="EmailHash">Hash of the rendered e-mail.</param>
internal sealed record FrozenMark(DateTimeOffset Date, string? SourceHash, string EmailHash)
{
    /// <summary>That of a content.</summary>
    public static FrozenMark Of(FrozenContent content) => new(content.Date, content.SourceHash, content.Email.Hash);
}
