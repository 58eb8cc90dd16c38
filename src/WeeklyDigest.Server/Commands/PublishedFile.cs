using WeeklyDigest.Issues;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Settings;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Server.Commands;

/// <summary>Looks for what was published of a file, for commands that need no database.</summary>
internal static class PublishedFile
{
    /// <summary>An issue's mailing that is not over, and what became of the file since; null when there is no such mailing, or nothing is another.</summary>
    /// <exception cref="StorageException">There is a database that cannot be used; says what to do.</exception>
    public static async Task<(Mailing Mailing, FileChange Change)?> FindChangedAsync(ServerSettings settings, TimeProvider time, IssueFile file, CancellationToken cancel)
    {
        if (!Database.Exists(settings.Storage) || !IssueSlug.TryParse(file.Slug, out var slug)) return null;
        using var database = Installation.OpenDatabase(settings, time);
        if (await database.Mailings.FindAsync(slug, cancel) is not { IsOver: false } mailing) return null;
        var zoned = new ZonedTime(time, settings.Schedule.TimeZone);
        var change = await new FileChanges(database.Mailings, CompilerProcess.Renderer(settings.Paths), settings.Newsletter, zoned).OfAsync(mailing, file, cancel);
        return change == FileChange.None ? null : (mailing, change);
    }
}
