using System.Collections.Concurrent;
using WeeklyDigest.Issues;
using WeeklyDigest.Rendering;

namespace WeeklyDigest.Publishing;

/// <summary>What became of an issue since it was published.</summary>
public enum FileChange
{
    /// <summary>It would go out as it was published; or its mailing is over, and nothing goes out any more.</summary>
    None,

    /// <summary>Its file, a template or the newsletter's identity is another.</summary>
    Changed,

    /// <summary>Its file has errors.</summary>
    HasErrors,

    /// <summary>Its file is gone.</summary>
    Gone,
}

/// <summary>
/// Tells what became of issues since they were published, and their titles of then. Remembers what it found: whoever looks at the list of issues again
/// and again has nothing rendered or read from the database anew, unless something is another since.
/// </summary>
/// <param name="mailings">The mailings.</param>
/// <param name="renderer">Renders e-mail.</param>
/// <param name="newsletter">The identity as it is now.</param>
/// <param name="time">The clock; its local time is the newsletter's.</param>
public sealed class FileChanges(IMailingStore mailings, IssueRenderer renderer, Newsletter newsletter, TimeProvider time)
{
    private readonly FreezeIssue freeze = new(renderer, newsletter, time);
    private readonly ConcurrentDictionary<long, Kept> known = new();

    /// <summary>The title a mailing goes out with.</summary>
    public async Task<string> TitleAsync(Mailing mailing, CancellationToken cancel) => (await KeptAsync(mailing, cancel)).Title;

    /// <summary>What became of a mailing's issue; nothing once the mailing is over.</summary>
    /// <param name="mailing">The mailing.</param>
    /// <param name="file">The issue's file as it is now, or null when it is gone.</param>
    /// <param name="cancel">Stops.</param>
    public async Task<FileChange> OfAsync(Mailing mailing, IssueFile? file, CancellationToken cancel) => file switch
    {
        _ when mailing.IsOver => FileChange.None,
        null => FileChange.Gone,
        { IsValid: false } => FileChange.HasErrors,
        _ => await DiffersAsync(await KeptAsync(mailing, cancel), file.Issue!, cancel) ? FileChange.Changed : FileChange.None,
    };

    private async Task<bool> DiffersAsync(Kept frozen, Issue issue, CancellationToken cancel)
    {
        if (await freeze.SourceAsync(frozen.Mark, issue, cancel) is not { } source) return true;
        if (frozen.Looked is { } before && before.Source == source) return before.Differs;
        var differs = await freeze.DiffersAsync(frozen.Mark, issue, cancel);
        frozen.Looked = new Look(source, differs);
        return differs;
    }

    // Content is frozen anew only with another time; what is kept of it is a few words, not the HTML.
    private async Task<Kept> KeptAsync(Mailing mailing, CancellationToken cancel)
    {
        var version = (mailing.ContentHash, mailing.IssueHash, mailing.ScheduledAt);
        if (known.TryGetValue(mailing.Id, out var kept) && kept.Version == version) return kept;
        var content = await mailings.ContentAsync(mailing.Id, cancel);
        return known[mailing.Id] = new Kept(version, content.Title, FrozenMark.Of(content));
    }

    private sealed record Look(string Source, bool Differs);

    private sealed class Kept((string, string?, DateTimeOffset?) version, string title, FrozenMark mark)
    {
        public (string, string?, DateTimeOffset?) Version => version;

        public string Title => title;

        public FrozenMark Mark => mark;

        public Look? Looked { get; set; }
    }
}
