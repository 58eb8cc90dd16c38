using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Server.Commands.Doctor;

/// <summary>Looks at the file of the jobs without changing it.</summary>
internal static class JobsCheck
{
    private const string Area = "jobs";

    /// <summary>Looks; null when they are in the ledger's database, and looked at with it.</summary>
    public static Diagnosis? Run(ServerSettings settings, TimeProvider time)
    {
        var file = settings.Paths.Jobs;
        if (settings.Storage.Provider == "postgres") return null;
        if (!Path.Exists(file)) return Diagnosis.Ok(Area, $"{file} is not there yet; the first `serve` makes it.");
        try
        {
            JobSetup.Look(file, DoctorCommand.Patience, time);
            return Diagnosis.Ok(Area, $"{file} can be used.");
        }
        catch (StorageException held) when (held.IsAway)
        {
            return Diagnosis.Warning(Area, held.Message, "`serve` waits for it.");
        }
        catch (StorageException problem)
        {
            return Diagnosis.Problem(Area, problem.Message, "`serve` does not start until then.");
        }
    }
}
