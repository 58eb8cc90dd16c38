using WeeklyDigest.Deliveries;
using WeeklyDigest.Server.Settings;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Tests.Settings;

public sealed class SettingsLoaderTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly Dictionary<string, string> environment = [];
    private readonly Dictionary<string, string?> options = [];

    public SettingsLoaderTests() => Directory.CreateDirectory(folder.File("templates"));

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_shipped_file_is_valid_and_states_the_defaults()
    {
        File.Copy(Path.Combine(Workspace.RepositoryRoot, "appsettings.json"), folder.File("appsettings.json"));
        var shipped = Load(null);
        var bare = Load("""{ "Newsletter": { "PostalAddress": "Weekly Digest\n1 Example Street\nExampletown", "Editor": "Editor <editor@example.com>" } }""");

        Assert.Equal(bare.Newsletter, shipped.Newsletter);
        Assert.Equal(bare.Schedule, shipped.Schedule);
        Assert.Equal(new DeliveryOptions(), shipped.Delivery);
        Assert.Equal(bare.Delivery, shipped.Delivery);
        Assert.Equal(bare.Storage, shipped.Storage);
        Assert.Equal(bare.Jobs, shipped.Jobs);
        Assert.Equal(bare.Paths, shipped.Paths);
        Assert.Equal(bare.Inbox, shipped.Inbox);
        Assert.Equal(bare.Urls, shipped.Urls);
        Assert.Empty(shipped.Relays);
        Assert.Empty(shipped.Editors.Users);
        Assert.Null(shipped.Editors.OpenIdConnect);
    }

    [Fact]
    public void The_shipped_file_names_every_setting()
    {
        File.Copy(Path.Combine(Workspace.RepositoryRoot, "appsettings.json"), folder.File("appsettings.json"));
        environment["Smtp__Relays__0__Host"] = "localhost";
        environment["Editors__Users__0__Name"] = "ada";
        environment["Editors__Users__0__PasswordHash"] = PasswordHash;
        var manual = File.ReadAllText(folder.File("appsettings.json"));
        Assert.All(Load(null).Effective, setting => Assert.Contains($"\"{setting.Path.Split(':')[^1]}\"", manual, StringComparison.Ordinal));
    }

    [Fact]
    public void Reads_every_setting()
    {
        folder.Write("ca.pem", "");
        var settings = Load("""
            {
              // A comment.
              "Newsletter": {
                "Name": "Paper Trail", "From": "\"Ada, Editor\" <ada@EXAMPLE.org>", "ReplyTo": "replies@example.org",
                "BaseUrl": "https://paper.example.org/digest/", "PostalAddress": "A\r\nB", "Language": "pt-BR", "Editor": "Ada <ada@example.org>",
                "Schedule": { "Cron": "30 7 * * 5", "TimeZone": "Europe/Berlin" },
              },
              "Smtp": { "Relays": [
                { "Host": "smtp.example.org", "Port": 465, "Security": "tls", "Username": "u", "Password": "p", "Connections": 8,
                  "MessagesPerSecond": 2.5, "MessagesPerMinute": 100, "MessagesPerHour": 5000, "MessagesPerConnection": 0, "TrustedCertificates": "ca.pem" },
                { "Name": "second", "Host": "10.0.0.5", "Security": "none", "AllowPlaintext": true, "Weight": 9 } ] },
              "Delivery": { "FirstRetryAfter": "00:00:30", "RetryFactor": 1.5, "MaxRetryDelay": "1.00:00:00", "GiveUpAfter": "2.12:00:00",
                "OnUncertain": "resend", "Lease": "00:00:30", "PauseAfterConsecutiveFailures": 7 },
              "Storage": { "Provider": "sqlite", "ConnectionString": "db/x.db" },
              "Jobs": { "Workers": 2 },
              "Paths": { "Issues": "i", "Templates": "templates", "Subscribers": "s", "Data": "d" },
              "Inbox": { "Port": 2525 },
              "Editors": { "Users": [ { "Name": "ada", "PasswordHash": "HASH" } ],
                "OpenIdConnect": { "Authority": "https://login.example.org", "ClientId": "c", "ClientSecret": "s", "Emails": [ "ada@example.org" ] } },
              "Urls": "http://127.0.0.1:8080;https://[::1]:8443"
            }
            """.Replace("HASH", PasswordHash, StringComparison.Ordinal));

        Assert.Equal("Ada, Editor", settings.Newsletter.From.Name);
        Assert.Equal("ada@example.org", settings.Newsletter.From.Address.Value);
        Assert.Equal("https://paper.example.org/digest/x", settings.Newsletter.UrlOf("/x"));
        Assert.Equal("A\nB", settings.Newsletter.PostalAddress);
        Assert.Equal("Europe/Berlin", settings.Schedule.TimeZone.Id);
        Assert.Equal(
            new RelayOptions
            {
                Name = "smtp.example.org", Host = "smtp.example.org", Port = 465, Security = RelaySecurity.Tls, Username = "u", Password = "p",
                Connections = 8, MessagesPerSecond = 2.5, MessagesPerMinute = 100, MessagesPerHour = 5000, MessagesPerConnection = 0, TrustedCertificates = folder.File("ca.pem"),
            },
            settings.Relays[0]);
        Assert.Equal(new RelayOptions { Name = "second", Host = "10.0.0.5", Security = RelaySecurity.None, AllowPlaintext = true, Weight = 9 }, settings.Relays[1]);
        Assert.Equal(
            new DeliveryOptions
            {
                FirstRetryAfter = TimeSpan.FromSeconds(30), RetryFactor = 1.5, MaxRetryDelay = TimeSpan.FromDays(1), GiveUpAfter = TimeSpan.FromHours(60),
                OnUncertain = OnUncertain.Resend, Lease = TimeSpan.FromSeconds(30), PauseAfterConsecutiveFailures = 7,
            },
            settings.Delivery);
        Assert.Equal(folder.File("db/x.db"), settings.Storage.ConnectionString);
        Assert.Equal(new PathsSettings(folder.File("i"), folder.File("templates"), folder.File("s"), folder.File("d")), settings.Paths);
        Assert.Equal((2, 2525), (settings.Jobs.Workers, settings.Inbox.Port));
        Assert.Equal([new EditorUser("ada", PasswordHash)], settings.Editors.Users);
        Assert.Equal("c", settings.Editors.OpenIdConnect!.ClientId);
        Assert.Equal(["http://127.0.0.1:8080", "https://[::1]:8443"], settings.Urls);
    }

    [Fact]
    public void The_environment_overrides_the_file_and_the_command_line_overrides_both()
    {
        environment["Newsletter__Name"] = "From the environment";
        environment["Smtp__Relays__0__Host"] = "localhost";
        environment["Urls"] = "http://127.0.0.1:1";
        options["Urls"] = "http://127.0.0.1:2";
        var settings = Load(Minimal);

        Assert.Equal("From the environment", settings.Newsletter.Name);
        Assert.Equal("localhost", Assert.Single(settings.Relays).Name);
        Assert.Equal(["http://127.0.0.1:2"], settings.Urls);
        Assert.Equal("environment", Origin(settings, "Newsletter:Name"));
        Assert.Equal("command line", Origin(settings, "Urls"));
        Assert.Equal("appsettings.json", Origin(settings, "Newsletter:PostalAddress"));
        Assert.Equal("default", Origin(settings, "Jobs:Workers"));
    }

    [Fact]
    public void Links_follow_the_address_the_server_listens_on_unless_told_otherwise()
    {
        options["Urls"] = "http://0.0.0.0:8123";
        Assert.Equal("http://127.0.0.1:8123/x", Load(Minimal).Newsletter.UrlOf("/x"));
        environment["Newsletter__BaseUrl"] = "https://digest.example.com";
        Assert.Equal("https://digest.example.com/x", Load(Minimal).Newsletter.UrlOf("/x"));
    }

    [Theory]
    [InlineData("https://bücher.example", "https://xn--bcher-kva.example/x")]
    [InlineData("https://Bücher.example:8443/Über/", "https://xn--bcher-kva.example:8443/%C3%9Cber/x")]
    [InlineData("https://xn--bcher-kva.example", "https://xn--bcher-kva.example/x")]
    [InlineData("http://[2001:DB8::1]:5080", "http://[2001:db8::1]:5080/x")]
    public void The_host_of_links_is_written_as_every_program_can_follow_it(string baseUrl, string link)
    {
        environment["Newsletter__BaseUrl"] = baseUrl;
        Assert.Equal(link, Load(Minimal).Newsletter.UrlOf("/x"));
    }

    [Fact]
    public void Secrets_show_as_stars_in_the_effective_settings()
    {
        environment["Smtp__Relays__0__Host"] = "localhost";
        environment["Smtp__Relays__0__Username"] = "u";
        environment["Smtp__Relays__0__Password"] = "hunter2";
        environment["Storage__ConnectionString"] = "Data Source=x.db;Password=hunter2";
        environment["Editors__Users__0__Name"] = "ada";
        environment["Editors__Users__0__PasswordHash"] = PasswordHash;
        var effective = Load(Minimal).Effective;

        Assert.DoesNotContain(effective, setting => $"{setting.Value}".Contains("hunter2", StringComparison.Ordinal));
        Assert.DoesNotContain(effective, setting => $"{setting.Value}" == PasswordHash);
        Assert.Equal("********", effective.Single(setting => setting.Path == "Smtp:Relays:0:Password").Value);
        Assert.Contains("password=********", $"{effective.Single(setting => setting.Path == "Storage:ConnectionString").Value}", StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("Host=db;Database=digest;Username=u;Password=hunter2", "host=db;database=digest;username=u;password=********")]
    [InlineData("Host=db;Database=digest;PWD='hunter2;x';SSL Password=hunter2", "host=db;database=digest;pwd=********;ssl password=********")]
    [InlineData("Host=db Password=hunter2;Database=digest", "********")]
    public void The_password_of_a_server_shows_as_stars(string connection, string expected)
    {
        environment["Storage__Provider"] = "postgres";
        environment["Storage__ConnectionString"] = connection;
        var settings = Load(Minimal);
        Assert.Equal(connection, settings.Storage.ConnectionString);
        Assert.Equal(expected, settings.Effective.Single(setting => setting.Path == "Storage:ConnectionString").Value);
    }

    // The form of one, of no password.
    private static readonly string PasswordHash = Convert.ToBase64String([1, .. new byte[60]]);

    private const string Minimal = """{ "Newsletter": { "PostalAddress": "1 Example Street" } }""";

    private static string Origin(ServerSettings settings, string path) => settings.Effective.Single(setting => setting.Path == path).Origin;

    private ServerSettings Load(string? json)
    {
        if (json is not null) folder.Write("appsettings.json", json);
        return SettingsLoader.Load(new InstallationFolder(folder.Path, folder.File("appsettings.json"), folder.Path), environment, options);
    }
}
