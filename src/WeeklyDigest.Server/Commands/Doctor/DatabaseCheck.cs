using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Server.Commands.Doctor;

/// <summary>Looks at the database without changing it: whether it opens, is sound, and has this version's schema.</summary>
internal static class DatabaseCheck
{
    private const string Area = "database";

    /// <summary>Looks.</summary>
    /// <param name="options">Where it is.</param>
    /// <param name="jobs">Where a server keeps its jobs, when not there.</param>
    /// <param name="time">The clock.</param>
    /// <param name="lists">The folder of list files, which is compared with it; null: it is not.</param>
    /// <param name="settings">The file of settings where those name no relay, which is a problem when it was sent from over one; null: they do.</param>
    public static IEnumerable<Diagnosis> Run(StorageOptions options, string jobs, TimeProvider time, string? lists = null, string? settings = null)
    {
        var (found, failure) = Examine(options, time);
        if (failure is not null)
        {
            yield return failure;
            yield break;
        }
        if (LostLedger.Find(options, jobs) is { } lost)
        {
            yield return Unsendable(lost);
            yield break;
        }
        yield return Schema(found!);
        if (found!.IsThere) yield return Soundness(found);
        if (found.IsHeld) yield return Diagnosis.Warning(Area, $"Another program is writing to {found.Place}, so that it was not found out whether this user can.", "Try again; if it does not end, find that program: nothing is sent meanwhile.");
        foreach (var denied in found.Denied) yield return Unsendable(denied);
        if (found.Jobs is { } wrong) yield return Diagnosis.Problem("jobs", wrong, "`serve` does not start until then.");
        if (found.JobsAreGone)
        {
            yield return Diagnosis.Warning(
                "jobs",
                $"The tables of the jobs, schema {PostgresJobs.Schema}, are not in {found.Place}, with which servers have run.",
                "The next `serve` makes them. Servers that run begin nothing until one more is started or one is restarted; jobs that waited are lost, mailings and what was sent are not.");
        }
        if (found.Time is { } there) yield return ClockCheck.Compare(there, time.GetUtcNow(), "the database");
        if (settings is not null && found.Secrets.Contains(LostRelays.Secret)) yield return Diagnosis.Problem(LostRelays.Area, LostRelays.Words(settings), "`send` and `serve` do not begin until then.");
        if (lists is not null)
            foreach (var diagnosis in ListCheck.Run(found, lists)) yield return diagnosis;
        if (found.IsExposed) yield return Diagnosis.Warning(Area, $"{found.Place} can be read by other users of this machine, and holds addresses and keys.", $"Run `chmod 600 {found.Place}`.");
    }

    private static (DatabaseExamination? Found, Diagnosis? Failure) Examine(StorageOptions options, TimeProvider time)
    {
        try
        {
            return (Database.Examine(options, DoctorCommand.Patience, time, PostgresJobs.Tables), null);
        }
        catch (StorageException held) when (held.IsAway && options.Provider != "postgres")
        {
            return (null, Diagnosis.Warning(Area, held.Message, "`serve` waits until that is over; if a program holds it and does not let go, find and end it."));
        }
        catch (StorageException exception)
        {
            return (null, Unsendable(exception.Message));
        }
    }

    private static Diagnosis Unsendable(string found) => Diagnosis.Problem(Area, found, "Nothing can be sent until then.");

    private static Diagnosis Schema(DatabaseExamination found) => found switch
    {
        { Lost.Count: > 0 } => Diagnosis.Problem(Area, $"{Capital(found.Place)} has lost what belongs to its schema: {string.Join(", ", found.Lost)}.", "Stop every server and put a backup back. Nothing can be sent until then."),
        { LostLedger: { } lost } => Unsendable(lost),
        { IsThere: false, Time: not null } => Diagnosis.Ok(Area, $"{Capital(found.Place)} opens; its tables are not there yet: the first `serve` or `send` makes them."),
        { IsThere: false } => Diagnosis.Ok(Area, $"{Capital(found.Place)} is not there yet; the first `serve` or `send` makes it."),
        { Missing.Count: > 0 } => Diagnosis.Ok(Area, $"{Capital(found.Place)} opens; the next start brings it to this version ({string.Join(", ", found.Missing)})."),
        _ => Diagnosis.Ok(Area, $"{Capital(found.Place)} opens and has this version's schema ({found.Schema})."),
    };

    private static Diagnosis Soundness(DatabaseExamination found) => found.Damage switch
    {
        null => Diagnosis.Warning(Area, $"{found.Place} is too large to be checked within {DoctorCommand.Patience.TotalSeconds} seconds.", $"Check it at leisure: `sqlite3 {found.Place} 'PRAGMA quick_check'`."),
        [] => Diagnosis.Ok(Area, Capital(found.Soundness)),
        var damage => Diagnosis.Problem(Area, $"{found.Place} is damaged: {string.Join("; ", damage)}.", "Stop the program, keep a copy of the file, and restore a backup or run sqlite3's .recover."),
    };

    private static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
