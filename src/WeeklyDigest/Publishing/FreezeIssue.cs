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
        return new FrozenContent(newsletter, issue.Title, issue.Permalink, email, web, WholeSeconds(date), source, issue.Hash);
    }

    /// <summary>Whether an issue, a template or the newsletter's identity has changed since the content was frozen.</summary>
    /// <remarks>
    /// Rendered for the day it was published, so that a date shown in the issue makes no difference of its own. A template that broke since is one.
    /// </remarks>
    public async Task<bool> DiffersAsync(FrozenContent frozen, Issue issue, CancellationToken cancel)
    {
        try
        {
            var date = issue.Date ?? DateOf(frozen.Date);
            // Compiling the templates takes seconds, and a send that is resumed should go on at once.
            if (frozen.SourceHash == await renderer.SourceHashAsync(issue, newsletter, date, cancel)) return false;
            var now = await renderer.RenderAsync(issue, newsletter, date, cancel);
            return now.Hash != frozen.Email.Hash;
        }
        catch (TemplateException)
        {
            return true;
        }
    }

    private DateOnly DateOf(DateTimeOffset moment) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(moment, time.LocalTimeZone).DateTime);

    // The Date header has whole seconds; so does what is frozen, and reading it back gives the same.
    private static DateTimeOffset WholeSeconds(DateTimeOffset moment) => moment.AddTicks(-(moment.Ticks % TimeSpan.TicksPerSecond));
}
