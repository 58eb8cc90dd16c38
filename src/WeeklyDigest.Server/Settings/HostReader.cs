using System.Data.Common;
using System.Net;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Server.Settings;

/// <summary>Reads the sections Storage, Jobs, Paths, Inbox and the key Urls.</summary>
internal static class HostReader
{
    private static readonly string[] SecretWords = ["password", "pwd", "psw", "passphrase"];

    /// <summary>What the web server listens on; the default when there is nothing, or nothing usable.</summary>
    public static IReadOnlyList<string> Urls(string? text, SettingsReport report)
    {
        var urls = (text ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (urls.Length == 0) urls = [SettingsLoader.DefaultUrl];
        report.Value("Urls", string.Join(';', urls), secret: false);
        if (urls.FirstOrDefault(url => !IsBindable(url)) is not { } wrong) return urls;
        report.Problem("Urls", $"'{wrong}' is no address to listen on; write one such as {SettingsLoader.DefaultUrl}, several separated by semicolons.");
        return [SettingsLoader.DefaultUrl];
    }

    /// <summary>The addresses that stand in the web server's own section; it reads the rest of it.</summary>
    public static void Endpoints(IConfigurationSection kestrel, SettingsReport report)
    {
        foreach (var url in kestrel.GetSection("Endpoints").GetChildren().Select(endpoint => endpoint.GetSection("Url")))
            if (url.Value is { } text && !IsBindable(text)) report.Problem(url.Path, $"'{text}' is no address to listen on; write one such as {SettingsLoader.DefaultUrl}.");
    }

    /// <summary>The folders, absolute.</summary>
    public static PathsSettings Paths(SettingsSection section, InstallationFolder folder)
    {
        var paths = new PathsSettings(
            Folder(section, "Issues", "issues", folder.Root),
            Templates(section, folder),
            Folder(section, "Subscribers", "subscribers", folder.Root),
            Folder(section, "Data", "data", folder.Root));
        paths = paths with { TemplateCache = Folder(section, "TemplateCache", "", folder.Root, whenEmpty: paths.TemplateCache) };
        section.Finish();
        return paths;
    }

    /// <summary>The database; the path of a file is absolute.</summary>
    public static StorageOptions Storage(SettingsSection section, string root, PathsSettings paths, SettingsReport report)
    {
        var provider = section.Text("Provider", "sqlite").ToLowerInvariant();
        if (provider is not ("sqlite" or "postgres")) section.Problem("Provider", $"'{provider}' is not a database of this program; write sqlite or postgres.");
        var connection = section.Raw("ConnectionString")?.Trim() ?? "";
        if (provider == "postgres") CheckServer(section, connection);
        else connection = Absolute(section, connection, root, paths.Data);
        report.Value($"{section.Path}:ConnectionString", WithoutPassword(connection), secret: false);
        section.Finish();
        return new StorageOptions { Provider = provider, ConnectionString = connection };
    }

    /// <summary>Background jobs.</summary>
    public static JobsSettings Jobs(SettingsSection section)
    {
        var jobs = new JobsSettings(section.Number("Workers", 4, 0, 100));
        section.Finish();
        return jobs;
    }

    /// <summary>The built-in inbox.</summary>
    public static InboxSettings Inbox(SettingsSection section)
    {
        var inbox = new InboxSettings(section.Number("Port", 0, 0, 65535), section.Flag("TakesAll", false));
        section.Finish();
        return inbox;
    }

    private static bool IsBindable(string url)
    {
        try
        {
            var address = BindingAddress.Parse(url);
            return address is { IsUnixPipe: false, IsNamedPipe: false, PathBase: "", Port: >= 0 and <= 65535 }
                && address.Scheme.ToLowerInvariant() is "http" or "https"
                && IsHost(address.Host);
        }
        catch (FormatException)
        {
            return false;
        }
    }

    // Kestrel listens on every interface for a host it does not know, a mistyped address too; that has to be asked for, with a star.
    private static bool IsHost(string host)
        => host is "*" or "+" || host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out _) && host.IndexOfAny(['.', ':']) >= 0);

    private static string Folder(SettingsSection section, string key, string fallback, string root, string? whenEmpty = null)
    {
        var text = section.Text(key, fallback);
        var path = Path.GetFullPath(text.Length == 0 ? whenEmpty ?? fallback : text, root);
        if (File.Exists(path)) section.Problem(key, $"{path} is a file; write the path of a folder.");
        return path;
    }

    // A folder with nothing but issues is an installation too: it uses the templates that came with the program.
    private static string Templates(SettingsSection section, InstallationFolder folder)
    {
        var path = Folder(section, "Templates", "templates", folder.Root);
        if (Directory.Exists(path)) return path;
        var shipped = Path.Combine(folder.ProgramHome, "templates");
        if (path == Path.Combine(folder.Root, "templates") && Directory.Exists(shipped)) return shipped;
        section.Problem("Templates", $"there is no folder {path}; write the path of the folder with issue.cshtml, issue.text.cshtml and styles.css.");
        return path;
    }

    private static void CheckServer(SettingsSection section, string connection)
    {
        var problem = connection.Length == 0
            ? "is missing; write Host=…;Port=5432;Database=…;Username=…;Password=…, best in the environment as Storage__ConnectionString."
            : StorageOptions.ProblemOfServer(connection);
        if (problem is not null) section.Problem("ConnectionString", problem);
    }

    private static string Absolute(SettingsSection section, string connection, string root, string data)
    {
        if (connection.Length == 0) return Path.Combine(data, "weeklydigest.db");
        if (!connection.Contains('=', StringComparison.Ordinal)) return Path.GetFullPath(connection, root);
        try
        {
            var parts = new DbConnectionStringBuilder { ConnectionString = connection };
            if (parts.TryGetValue("Data Source", out var file) && file is string { Length: > 0 } path)
            {
                parts["Data Source"] = Path.GetFullPath(path, root);
                return parts.ConnectionString;
            }
        }
        catch (ArgumentException)
        {
            // Falls through: the reader's own message names no part of the text, which may hold a password.
        }
        section.Problem("ConnectionString", "is neither a file path nor a connection string with Data Source; write one such as data/weeklydigest.db.");
        return connection;
    }

    // What cannot be taken apart is not shown at all: nobody knows where in it the password is.
    private static string WithoutPassword(string connection)
    {
        if (connection.IndexOfAny(['=', '@']) < 0) return connection;
        try
        {
            var parts = new DbConnectionStringBuilder { ConnectionString = connection };
            foreach (var key in parts.Keys.Cast<string>().Where(IsSecret).ToList()) parts[key] = "";
            if (parts.Keys.Cast<string>().Any(key => key.Contains("://", StringComparison.Ordinal) || IsSecret($"{parts[key]}"))) return SettingsReport.Mask;
            foreach (var key in parts.Keys.Cast<string>().Where(IsSecret).ToList()) parts[key] = SettingsReport.Mask;
            return parts.ConnectionString;
        }
        catch (ArgumentException)
        {
            return SettingsReport.Mask;
        }
    }

    private static bool IsSecret(string text) => SecretWords.Any(word => text.Contains(word, StringComparison.OrdinalIgnoreCase));
}
