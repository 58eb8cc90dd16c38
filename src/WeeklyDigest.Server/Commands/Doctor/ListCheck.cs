using System.Globalization;
using WeeklyDigest.Audience;
using WeeklyDigest.Publishing;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Server.Commands.Doctor;

/// <summary>Looks whether anybody is subscribed, and whether a list stayed in the database whose file was taken away.</summary>
internal static class ListCheck
{
    private const string Area = "lists";

    /// <summary>Looks.</summary>
    /// <param name="found">The database.</param>
    /// <param name="folder">The subscribers folder.</param>
    public static IReadOnlyList<Diagnosis> Run(DatabaseExamination found, string folder)
    {
        if (found.Lists is not { } lists || Files(folder) is not { } files) return [];
        if (files.Count == 0 && lists.All(list => list.Active == 0))
            return [Diagnosis.Warning(Area, $"Nobody is subscribed: no list is in the database, nor a *.csv in {folder}.", "Put a list there, or add subscribers by `weeklydigest subscribers import`.")];
        return [.. lists.Where(list => list.Active > 0 && found.FromFiles.Contains(list.Name) && !files.Contains(list.Name)).Select(Left)];
    }

    private static Diagnosis Left(ListSummary list) => Diagnosis.Warning(
        Area,
        string.Create(CultureInfo.InvariantCulture, $"The file of the list {list.Name} is gone, and its {list.Active} active {(list.Active == 1 ? "subscriber stays" : "subscribers stay")}: an issue that names no lists goes to them."),
        $"If they are to get none, run `weeklydigest subscribers unsubscribe --list {list.Name}`: who is on another list stays on that. Else put the file back.");

    // That the folder cannot be read is said where the folders are looked at.
    private static HashSet<ListName>? Files(string folder)
    {
        try
        {
            return [.. ListFolder.Files(folder).Select(file => file.List).OfType<ListName>()];
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
