using System.Globalization;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Inbox;
using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Server.Commands.Doctor;

/// <summary>Looks whether the folders are there and can be used. What it writes to find out, it removes.</summary>
internal static class FolderCheck
{
    private const string Area = "folders";

    /// <summary>Below this the ledger may stop in the middle of a send.</summary>
    private const long LeastRoom = 200L * 1024 * 1024;

    /// <summary>Looks at all folders.</summary>
    public static IEnumerable<Diagnosis> Run(ServerSettings settings)
    {
        yield return Readable("Paths:Issues", settings.Paths.Issues, "*.md", "Write the first issue there.");
        yield return Readable("Paths:Templates", settings.Paths.Templates, "*.cshtml", "Copy the templates that came with the program there.");
        yield return Readable("Paths:Subscribers", settings.Paths.Subscribers, "*.csv", whenEmpty: null);
        var data = Writable(settings.Paths.Data);
        yield return data;
        if (data.Status == Health.Problem) yield break;
        foreach (var trouble in Inner(settings).OfType<FolderTrouble>()) yield return Unusable(trouble, settings.Paths.Data);
    }

    // With the ledger on PostgreSQL the keys are there. In the inbox may be hundreds of thousands of files, which nobody opens to send.
    private static IEnumerable<FolderTrouble?> Inner(ServerSettings settings)
    {
        yield return FolderTrouble.Of(ProcessOwner.LocksOf(settings.Paths.Data), FileAccess.ReadWrite);
        if (settings.Storage.Provider != "postgres") yield return FolderTrouble.Of(Path.Combine(settings.Paths.Data, "keys"), FileAccess.Read);
        if (settings.Relays.Count == 0) yield return FolderTrouble.Of(settings.Paths.Inbox) ?? NoRoomIn(settings.Paths.Inbox);
    }

    // It may be on a disk of its own.
    private static FolderTrouble? NoRoomIn(string inbox) => Directory.Exists(inbox) && new DriveInfo(inbox).AvailableFreeSpace < InboxSession.LongestMessage
        ? new FolderTrouble($"the disk with the folder {inbox} has no room for a large message", "Make room on it")
        : null;

    private static Diagnosis Unusable(FolderTrouble trouble, string data) => Diagnosis.Problem(Area, $"Paths:Data: {trouble.What}.", trouble.Advice(data));

    private static Diagnosis Readable(string setting, string folder, string pattern, string? whenEmpty)
    {
        if (!Directory.Exists(folder)) return Empty($"{setting}: there is no folder {folder}.", whenEmpty);
        try
        {
            var count = 0;
            foreach (var path in Directory.EnumerateFiles(folder, pattern))
            {
                // A pipe would be waited for.
                if (RegularFile.OtherAt(path) is not null) continue;
                File.OpenRead(path).Dispose();
                count++;
            }
            return count > 0
                ? Diagnosis.Ok(Area, string.Create(CultureInfo.InvariantCulture, $"{setting}: {count} {pattern} in {folder}."))
                : Empty($"{setting}: no {pattern} in {folder}.", whenEmpty);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return Diagnosis.Problem(Area, $"{setting}: {failure.Message}", "Let the user that runs this program read the folder and its files.");
        }
    }

    // Lists may be in the database alone.
    private static Diagnosis Empty(string message, string? advice) => advice is null ? Diagnosis.Ok(Area, message) : Diagnosis.Warning(Area, message, advice);

    private static Diagnosis Writable(string folder)
    {
        try
        {
            if (FolderTrouble.Of(folder) is { } trouble) return Unusable(trouble, folder);
            if (!Directory.Exists(folder)) return Diagnosis.Ok(Area, $"Paths:Data: {folder} is not there yet; the first `serve` or `send` makes it.");
            var room = new DriveInfo(folder).AvailableFreeSpace;
            if (room == 0) return Diagnosis.Problem(Area, $"Paths:Data: the disk with {folder} is full.", "Make room: nothing can be sent until then.");
            var free = string.Create(CultureInfo.InvariantCulture, $"{room / (1024 * 1024)} MB free");
            return room >= LeastRoom
                ? Diagnosis.Ok(Area, $"Paths:Data: {folder} can be written, {free}.")
                : Diagnosis.Warning(Area, $"Paths:Data: {folder} can be written, but there is little room ({free}).", "Make room: a send stops when its ledger cannot be written.");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return Diagnosis.Problem(Area, $"Paths:Data: {failure.Message}", "Let the user that runs this program read and write there.");
        }
    }
}
