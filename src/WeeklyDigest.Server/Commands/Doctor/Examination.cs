using System.Runtime.CompilerServices;
using WeeklyDigest.Server.Settings;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Server.Commands.Doctor;

/// <summary>All that the doctor looks at, in the order in which things hang on each other.</summary>
/// <param name="run">The command.</param>
/// <param name="records">Asks DNS.</param>
internal sealed class Examination(CommandRun run, TextRecords records)
{
    /// <summary>Looks, and tells as it goes on.</summary>
    public async IAsyncEnumerable<Diagnosis> RunAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        var (settings, problems) = Settings();
        foreach (var problem in problems) yield return problem;
        if (settings is null) yield break;
        foreach (var diagnosis in FolderCheck.Run(settings)) yield return diagnosis;
        await foreach (var diagnosis in ListFileCheck.RunAsync(settings.Paths.Subscribers, run.Host.Time, cancel)) yield return diagnosis;
        var mayNeedRelay = settings.Relays.Count == 0 && !settings.Inbox.TakesAll;
        var ofDatabase = DatabaseCheck.Run(settings.Storage, settings.Paths.Jobs, run.Host.Time, settings.Paths.Subscribers, mayNeedRelay ? settings.File : null).ToList();
        foreach (var diagnosis in ofDatabase) yield return diagnosis;
        if (JobsCheck.Run(settings, run.Host.Time) is { } jobs) yield return jobs;
        foreach (var relay in settings.Relays) yield return await RelayCheck.RunAsync(relay, settings.Dkim is not null, run.Host.Time, cancel);
        if (settings.Relays.Count == 0 && ofDatabase.All(found => found.Area != LostRelays.Area)) yield return Diagnosis.Ok(LostRelays.Area, "None is set: every message goes to the built-in inbox, and nothing leaves this machine.");
        yield return await TemplateCheck.RunAsync(settings, run.Host.Time, cancel);
        var (address, date) = await AddressCheck.RunAsync(settings, run.Host.Time, cancel);
        yield return address;
        foreach (var diagnosis in ClockCheck.Run(date, run.Host.Time)) yield return diagnosis;
        await foreach (var diagnosis in DomainAsync(settings, cancel)) yield return diagnosis;
    }

    private (ServerSettings? Settings, IReadOnlyList<Diagnosis> Found) Settings()
    {
        try
        {
            var settings = run.Settings;
            return (settings, [Diagnosis.Ok("settings", $"{settings.File} and the environment can be used.")]);
        }
        catch (SettingsException exception)
        {
            return (null, [.. exception.Problems.Select(problem => Diagnosis.Problem("settings", problem, "Everything else is looked at once the settings can be used."))]);
        }
    }

    private async IAsyncEnumerable<Diagnosis> DomainAsync(ServerSettings settings, [EnumeratorCancellation] CancellationToken cancel)
    {
        if (settings.Relays.Count == 0 && settings.Dkim is null)
        {
            yield return Diagnosis.Ok("dns", "Not asked: without a relay no message leaves this machine.");
            yield break;
        }
        var domain = settings.Newsletter.From.Address.AsciiDomain;
        foreach (var key in settings.Dkim?.Keys ?? []) yield return await DkimCheck.RunAsync(key, settings.Dkim!.Domain, records, cancel);
        if (DkimCheck.OfKeys(settings.Dkim) is { } kinds) yield return kinds;
        yield return await new SpfCheck(records).RunAsync(domain, cancel);
        yield return await DmarcCheck.RunAsync(domain, settings.Dkim, records, cancel);
    }
}
