using WeeklyDigest.Rendering;

namespace WeeklyDigest.Publishing;

/// <summary>What a mailing sends and shows, stored when it is published: later changes of files, templates or settings do not reach it.</summary>
/// <param name="Newsletter">The identity at that time.</param>
/// <param name="Title">The issue's title.</param>
/// <param name="Permalink">Path of the archive page.</param>
/// <param name="Email">Subject, HTML and text with their slots.</param>
/// <param name="WebHtml">The archive page's HTML: the same issue without slots.</param>
/// <param name="Date">The Date header of every message.</param>
/// <param name="SourceHash">Hash of what it was rendered from; null where nobody asks for changes.</param>
/// <param name="IssueHash">Hash of the issue file alone (<see cref="Issues.Issue.Hash"/>); null where there was no file.</param>
/// <param name="Day">The day that the issue shows; null in what an earlier version published.</param>
public sealed record FrozenContent(
    Newsletter Newsletter, string Title, string Permalink, RenderedEmail Email, string WebHtml, DateTimeOffset Date, string? SourceHash = null, string? IssueHash = null,
    DateOnly? Day = null);
