using System.Globalization;
using System.Runtime.CompilerServices;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Commands.Doctor;

/// <summary>Reads the list files, and looks for those because of which no issue would be published.</summary>
internal static class ListFileCheck
{
    private const string Area = "lists";

    /// <summary>Of more files only the number is told: they were broken together, most likely.</summary>
    private const int MostTold = 10;

    /// <summary>Looks.</summary>
    /// <param name="folder">The subscribers folder.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancel">Stops.</param>
    public static async IAsyncEnumerable<Diagnosis> RunAsync(string folder, TimeProvider time, [EnumeratorCancellation] CancellationToken cancel)
    {
        var unusable = 0;
        foreach (var file in Files(folder))
        {
            if ((file.Problem ?? await ListFolder.ProblemOfAsync(file.Path, time, cancel)) is not { } problem) continue;
            if (++unusable <= MostTold) yield return Diagnosis.Problem(Area, $"{file.Path} cannot be used. {problem}", Advice(file));
        }
        if (unusable > MostTold)
            yield return Diagnosis.Problem(Area, string.Create(CultureInfo.InvariantCulture, $"And {unusable - MostTold} more of {folder}."), "Mend those above first.");
    }

    private static string Advice(ListFile file)
        => $"Mend it, or move a file that is no list out of the subscribers folder: until then no issue is published that {(file.List is { } list ? $"goes to the list {list} or to every list" : "goes to every list")}.";

    // That the folder cannot be read is said where the folders are looked at.
    private static IReadOnlyList<ListFile> Files(string folder)
    {
        try
        {
            return ListFolder.Files(folder);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
