namespace WeeklyDigest.Server.Settings;

/// <summary>Reads and checks all settings, in the order of appsettings.json.</summary>
internal static class SettingsLoader
{
    /// <summary>The address the web server listens on when nothing else is said.</summary>
    public const string DefaultUrl = "http://127.0.0.1:5080";

    private static readonly string[] Keys = ["Newsletter", "Smtp", "Dkim", "Delivery", "Storage", "Jobs", "Paths", "Inbox", "Editors", "Urls"];

    /// <summary>Loads the settings.</summary>
    /// <param name="folder">The installation's folder and file.</param>
    /// <param name="environment">Environment variables.</param>
    /// <param name="commandLine">Settings given as options, by their full name.</param>
    /// <exception cref="SettingsException">Something is wrong; all of it is listed.</exception>
    public static ServerSettings Load(
        InstallationFolder folder, IReadOnlyDictionary<string, string> environment, IReadOnlyDictionary<string, string?> commandLine)
    {
        var configuration = SettingsSources.Read(folder.File, environment, commandLine);
        var report = new SettingsReport(configuration, SettingsSources.Names);
        var urls = HostReader.Urls(configuration["Urls"], report);
        var settings = Read(folder, configuration, report, urls);
        HostReader.Endpoints(configuration.GetSection("Kestrel"), report);
        CheckLogging(configuration, report);
        CheckSectionNames(configuration, report);
        return report.Problems.Count == 0 ? settings : throw new SettingsException(report.Problems);
    }

    private static ServerSettings Read(InstallationFolder folder, IConfigurationRoot configuration, SettingsReport report, IReadOnlyList<string> urls)
    {
        SettingsSection Of(string name) => new(configuration.GetSection(name), report);
        var (newsletter, schedule) = NewsletterReader.Read(Of("Newsletter"), urls);
        var relays = SmtpReader.Relays(Of("Smtp"), folder.Root);
        NewsletterReader.CheckReachable(Of("Newsletter"), newsletter, relays);
        var dkim = DkimReader.Read(Of("Dkim"), folder.Root, newsletter.From.Address.AsciiDomain);
        var delivery = SmtpReader.Delivery(Of("Delivery"));
        var paths = HostReader.Paths(Of("Paths"), folder);
        return new ServerSettings
        {
            Root = folder.Root,
            File = folder.File,
            Newsletter = newsletter,
            Schedule = schedule,
            Relays = relays,
            Dkim = dkim,
            Delivery = delivery,
            Storage = HostReader.Storage(Of("Storage"), folder.Root, paths, report),
            Jobs = HostReader.Jobs(Of("Jobs")),
            Paths = paths,
            Inbox = HostReader.Inbox(Of("Inbox")),
            Editors = EditorsReader.Read(Of("Editors")),
            Urls = urls,
            Effective = [.. report.Effective.OrderBy(setting => Array.IndexOf(Keys, setting.Path.Split(':')[0]))],
            Configuration = configuration,
        };
    }

    private static void CheckLogging(IConfigurationRoot configuration, SettingsReport report)
    {
        foreach (var level in configuration.GetSection("Logging:LogLevel").GetChildren())
            if (level.Value is null || !Enum.GetNames<LogLevel>().Contains(level.Value.Trim(), StringComparer.OrdinalIgnoreCase))
                report.Problem(level.Path, $"'{level.Value}' is not a log level; write one of {string.Join(", ", Enum.GetNames<LogLevel>())}.");
    }

    // Sections of .NET and of others may stand beside ours; only what looks like a slip of the pen is reported.
    private static void CheckSectionNames(IConfigurationRoot configuration, SettingsReport report)
    {
        foreach (var section in configuration.GetChildren().Where(child => !Keys.Contains(child.Key, StringComparer.OrdinalIgnoreCase)))
        {
            if (section.Key is "Logging" or "Kestrel" or "AllowedHosts") continue;
            if (Spelling.Nearest(section.Key, [.. Keys, "Logging"]) is { } nearest)
                report.Problem(section.Key, $"is not a section of settings; did you mean {nearest}?");
            else if (section.Key is "Tracking" or "Bounces")
                report.Problem(section.Key, "this version has no such feature; remove the section.");
        }
    }
}
