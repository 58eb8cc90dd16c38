using System.Text;
using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Tests.Settings;

public sealed class SettingsProblemTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly Dictionary<string, string> environment = new() { ["Newsletter__PostalAddress"] = "1 Example Street" };

    public SettingsProblemTests() => Directory.CreateDirectory(folder.File("templates"));

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("Newsletter:Name", "", "has to be 1 to 100 characters in one line; write the newsletter's name.")]
    [InlineData("Newsletter:From", "nobody", "is not an e-mail address; write one such as Weekly Digest <digest@example.com>.")]
    [InlineData("Newsletter:FromName", "a\r\nb", "holds a control character; write the name in one line.")]
    [InlineData("Newsletter:ReplyTo", "nobody", "is not an e-mail address; write one such as Ada Editor <ada@example.com>, or nothing.")]
    [InlineData("Newsletter:BaseUrl", "https://üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü.example", "is not the address of a web site; write one such as https://digest.example.com, without user, query or fragment.")]
    [InlineData("Newsletter:BaseUrl", "https://xn--ü.example", "is not the address of a web site; write one such as https://digest.example.com, without user, query or fragment.")]
    [InlineData("Newsletter:BaseUrl", "digest.example.com", "is not the address of a web site; write one such as https://digest.example.com, without user, query or fragment.")]
    [InlineData("Newsletter:PostalAddress", "", "is missing; write a postal address, which the law asks of newsletters in many countries (\\n starts a new line).")]
    [InlineData("Newsletter:Language", "en_US!", "is not a language tag; write one such as en or pt-BR (BCP 47).")]
    [InlineData("Newsletter:Schedule:Cron", "0 0 31 2 *", "is a day that never comes; write a day that the month has, such as 0 9 1 * * for the first of each month at 9:00.")]
    [InlineData("Newsletter:Schedule:Cron", "on Mondays", "is not a schedule; write five fields (minute hour day month weekday), such as 0 9 * * 1 for Mondays at 9:00, or @weekly.")]
    [InlineData("Newsletter:Schedule:TimeZone", "Mars/Olympus", "is not a time zone known to this machine; write one such as Europe/Berlin or UTC.")]
    [InlineData("Smtp:Relays", "localhost", "is a list in square brackets, not a single value; see appsettings.json for an example.")]
    [InlineData("Delivery:FirstRetryAfter", "5", "'5' is not a time span from 00:00:01 to 1.00:00:00 as [days.]hours:minutes:seconds; the default is 00:05:00.")]
    [InlineData("Delivery:GiveUpAfter", "24:00:00", "'24:00:00' is not a time span from 00:01:00 to 14.00:00:00 as [days.]hours:minutes:seconds; the default is 3.00:00:00.")]
    [InlineData("Delivery:MaxRetryDelay", "00:01:00", "00:01:00 is shorter than FirstRetryAfter (00:05:00); make it at least as long.")]
    [InlineData("Delivery:RetryFactor", "1,5", "'1,5' is not a number from 1 to 10; the default is 2.")]
    [InlineData("Delivery:OnUncertain", "1", "'1' is not one of hold, resend; the default is hold.")]
    [InlineData("Delivery:PauseAfterConsecutiveFailures", "0", "'0' is not a whole number from 1 to 10000; the default is 50.")]
    [InlineData("Storage:Provider", "oracle", "'oracle' is not a database of this program; write sqlite or postgres.")]
    [InlineData("Storage:ConnectionString", "Server=x", "is neither a file path nor a connection string with Data Source; write one such as data/weeklydigest.db.")]
    [InlineData("Jobs:Workers", "many", "'many' is not a whole number from 0 to 100; the default is 4.")]
    [InlineData("Inbox:Port", "99999", "'99999' is not a whole number from 0 to 65535; the default is 0.")]
    [InlineData("Urls", "http://256.1.1.1:80", "'http://256.1.1.1:80' is no address to listen on; write one such as http://127.0.0.1:5080, several separated by semicolons.")]
    [InlineData("Urls", "http://myhost:80", "'http://myhost:80' is no address to listen on; write one such as http://127.0.0.1:5080, several separated by semicolons.")]
    [InlineData("Urls", "http://12:80", "'http://12:80' is no address to listen on; write one such as http://127.0.0.1:5080, several separated by semicolons.")]
    [InlineData("Kestrel:Endpoints:Web:Url", "http://my.host:80", "'http://my.host:80' is no address to listen on; write one such as http://127.0.0.1:5080.")]
    [InlineData("Urls", "localhost:5080", "'localhost:5080' is no address to listen on; write one such as http://127.0.0.1:5080, several separated by semicolons.")]
    [InlineData("Urls", "http://127.0.0.1:0", "Newsletter:BaseUrl", "is empty and Urls asks for any free port, so that links in messages would lead nowhere; write the address readers use.")]
    [InlineData("Logging:LogLevel:Default", "Loud", "'Loud' is not a log level; write one of Trace, Debug, Information, Warning, Error, Critical, None.")]
    [InlineData("Newsletter:Nmae", "x", "is not a setting; did you mean Newsletter:Name?")]
    [InlineData("Inbox:Colour", "x", "is not a setting; remove it. Known here: Port, TakesAll.")]
    [InlineData("Newsletter:Name:First", "x", "Newsletter:Name", "is a single value, not a section or a list; see appsettings.json for an example.")]
    [InlineData("Stmp:Relays:0:Host", "x", "Stmp", "is not a section of settings; did you mean Smtp?")]
    [InlineData("Tracking:Opens", "x", "Tracking", "this version has no such feature; remove the section.")]
    public void Says_what_is_wrong_and_what_to_do(string key, string value, string expectedOrPath, string? expected = null)
    {
        environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        var path = expected is null ? key : expectedOrPath;
        Assert.Equal([$"{path}: {expected ?? expectedOrPath}"], Problems());
    }

    [Theory]
    [InlineData("Host", "", "Host: is missing; write the relay's host name or address.")]
    [InlineData("Host", "smtp.example.com:587", "Host: is not a host name or address; write one such as smtp.example.com (the port has its own setting).")]
    [InlineData("Port", "0", "Port: '0' is not a whole number from 1 to 65535; the default is 587.")]
    [InlineData("Security", "auto", "Security: 'auto' is not one of none, starttls, tls; the default is starttls.")]
    [InlineData("AllowPlaintext", "yes", "AllowPlaintext: 'yes' is not true or false; the default is false.")]
    [InlineData("Username", "ada", "Password: is empty although there is a Username; set it, best in the environment.")]
    [InlineData("Password", "hunter2", "Username: is empty although there is a Password; write the user name.")]
    [InlineData("Connections", "101", "Connections: '101' is not a whole number from 1 to 100; the default is 4.")]
    [InlineData("Weight", "0", "Weight: '0' is not a whole number from 1 to 1000; the default is 1.")]
    [InlineData("MessagesPerSecond", "-1", "MessagesPerSecond: '-1' is not a number from 0.0001 to 1000000, or 0 for no limit; the default is 0.")]
    [InlineData("MessagesPerSecond", "1e-300", "MessagesPerSecond: '1e-300' is not a number from 0.0001 to 1000000, or 0 for no limit; the default is 0.")]
    [InlineData("MessagesPerMinute", "many", "MessagesPerMinute: 'many' is not a number from 0.0001 to 60000000, or 0 for no limit; the default is 0.")]
    [InlineData("MessagesPerHour", "-1", "MessagesPerHour: '-1' is not a number from 0.0001 to 1000000000, or 0 for no limit; the default is 0.")]
    [InlineData("Passwrod", "hunter2", "Passwrod: is not a setting; did you mean Smtp:Relays:0:Password?")]
    public void Says_what_is_wrong_with_a_relay(string key, string value, string expected)
    {
        environment["Smtp__Relays__0__Host"] = "localhost";
        environment[$"Smtp__Relays__0__{key}"] = value;
        Assert.Equal([$"Smtp:Relays:0:{expected}"], Problems());
    }

    [Theory]
    [InlineData("MessagesPerSecond", "1e-300", "MessagesPerSecond: '1e-300' is not a number from 0.0001 to 1000000, or 0 for no limit; the default is 0.")]
    [InlineData("MessagesPerMinute", "0.00009", "MessagesPerMinute: '0.00009' is not a number from 0.0001 to 1000000, or 0 for no limit; the default is 0.")]
    [InlineData("MessagesPerMinute", "NaN", "MessagesPerMinute: 'NaN' is not a number from 0.0001 to 1000000, or 0 for no limit; the default is 0.")]
    [InlineData("MessagesPerMinute", "0.0001")]
    [InlineData("MessagesPerMinute", "0.0")]
    public void Says_what_is_wrong_with_a_limit_for_a_domain(string key, string value, string? expected = null)
    {
        environment["Delivery__Domains__0__Name"] = "example.com";
        environment["Delivery__Domains__0__Connections"] = "2";
        environment[$"Delivery__Domains__0__{key}"] = value;
        if (expected is null) Load();
        else Assert.Equal([$"Delivery:Domains:0:{expected}"], Problems());
    }

    [Fact]
    public void A_relay_elsewhere_needs_a_public_address_and_protects_its_password()
    {
        environment["Smtp__Relays__0__Host"] = "smtp.example.com";
        environment["Smtp__Relays__0__Security"] = "none";
        environment["Smtp__Relays__0__Username"] = "ada";
        environment["Smtp__Relays__0__Password"] = "hunter2";
        environment["Smtp__Relays__1__Host"] = "SMTP.example.com";
        environment["Smtp__Relays__1__TrustedCertificates"] = "none.pem";
        environment["Smtp__Relays__1__Security"] = "none";
        Assert.Equal(
            [
                "Smtp:Relays:0:Security: none would send the password in clear to another machine, which is never done; write starttls or tls, or remove Username and Password.",
                $"Smtp:Relays:1:TrustedCertificates: there is no file {folder.File("none.pem")}; write the path of a PEM file, or nothing.",
                "Smtp:Relays:1:Security: none would send every message in clear to another machine; write starttls or tls, or set AllowPlaintext to true if the network between is yours.",
                "Smtp:Relays:1:Name: 'SMTP.example.com' is the name of another relay as well; give each its own.",
                "Newsletter:BaseUrl: is http://127.0.0.1:5080, which no subscriber can reach to unsubscribe, but Smtp:Relays sends to other machines; write the public address of this server.",
            ],
            Problems());
    }

    [Theory]
    [InlineData("mail.internal", "true", false)]
    [InlineData("mail.internal", "false", true)]
    [InlineData("localhost", "false", false)]
    [InlineData("::1", "false", false)]
    [InlineData("127.0.0.9", "false", false)]
    public void Plaintext_stays_on_this_machine_unless_it_is_said(string host, string allow, bool isProblem)
    {
        environment["Newsletter__BaseUrl"] = "https://digest.example.com";
        environment["Smtp__Relays__0__Host"] = host;
        environment["Smtp__Relays__0__Security"] = "none";
        environment["Smtp__Relays__0__AllowPlaintext"] = allow;
        if (isProblem) Assert.StartsWith("Smtp:Relays:0:Security: none would send every message in clear", Assert.Single(Problems()), StringComparison.Ordinal);
        else Assert.Single(Load().Relays);
    }

    [Theory]
    [InlineData("true")]
    [InlineData("false")]
    public void A_login_never_goes_in_clear_to_another_machine_whatever_is_said(string allow)
    {
        environment["Newsletter__BaseUrl"] = "https://digest.example.com";
        environment["Smtp__Relays__0__Host"] = "mail.internal";
        environment["Smtp__Relays__0__Security"] = "none";
        environment["Smtp__Relays__0__AllowPlaintext"] = allow;
        environment["Smtp__Relays__0__Username"] = "ada";
        environment["Smtp__Relays__0__Password"] = "hunter2";
        Assert.StartsWith("Smtp:Relays:0:Security: none would send the password in clear", Assert.Single(Problems()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "is missing; write Host=…;Port=5432;Database=…;Username=…;Password=…, best in the environment as Storage__ConnectionString.")]
    [InlineData("postgres://ada:hunter2@db/digest", "is a URL; write Host=…;Port=5432;Database=…;Username=…;Password=….")]
    [InlineData("Host=db;Password='hunter2", "cannot be read; write Host=…;Port=5432;Database=…;Username=…;Password=…. A value with ; or ' in it stands in quotation marks.")]
    [InlineData("Host=db;Password=hunter;2=x", "cannot be read: what stands after password is no setting, or has a value that does not fit; write Host=…;Port=5432;Database=…;Username=…;Password=…. A value with ; or ' in it stands in quotation marks.")]
    [InlineData("Port=many", "cannot be read: what stands at its beginning is no setting, or has a value that does not fit; write Host=…;Port=5432;Database=…;Username=…;Password=…. A value with ; or ' in it stands in quotation marks.")]
    [InlineData("Database=digest", "names no server; write Host=… in it.")]
    [InlineData("Host=db", "names no database; write Database=… in it.")]
    [InlineData("Host=db;Database=d;Port=99999", "has a Port that is none; write 1 to 65535.")]
    [InlineData("Host=db;Database=d;Multiplexing=true", "sets Multiplexing, which cannot be used here: a transaction needs a connection of its own. Leave it out.")]
    [InlineData("Host=db;Database=d;Maximum Pool Size=1", "has a Maximum Pool Size below 5, which is what one process needs; leave it out for 20.")]
    [InlineData("Host=db;Database=d;Minimum Pool Size=200", "has a Minimum Pool Size over the 20 of Maximum Pool Size.")]
    [InlineData("Host=db;Database=d;Read Buffer Size=1", "has a buffer below 4096 bytes; leave Read Buffer Size and Write Buffer Size out.")]
    public void Says_what_is_wrong_with_a_servers_connection_string_and_shows_no_part_of_it(string connection, string expected)
    {
        environment["Storage__Provider"] = "postgres";
        environment["Storage__ConnectionString"] = connection;
        Assert.Equal([$"Storage:ConnectionString: {expected}"], Problems());
    }

    [Fact]
    public void Says_what_is_wrong_with_the_folders()
    {
        folder.Write("issues", "a file");
        Directory.Delete(folder.File("templates"));
        Assert.Equal(
            [
                $"Paths:Issues: {folder.File("issues")} is a file; write the path of a folder.",
                $"Paths:Templates: there is no folder {folder.File("templates")}; write the path of the folder with issue.cshtml, issue.text.cshtml and styles.css.",
            ],
            Problems());
    }

    [Fact]
    public void Says_what_is_wrong_with_the_editors()
    {
        environment["Editors__Users__0__Name"] = "ada";
        environment["Editors__Users__0__PasswordHash"] = "x";
        environment["Editors__Users__1__Name"] = "ADA";
        environment["Editors__OpenIdConnect__Authority"] = "http://login.example.com";
        Assert.Equal(
            [
                "Editors:Users:0:PasswordHash: is not a password's hash; write the one that `weeklydigest config hash-password` prints.",
                "Editors:Users:1:Name: 'ADA' is there twice; give each editor a name of their own.",
                "Editors:Users:1:PasswordHash: is missing; write the hash that `weeklydigest config hash-password` prints.",
                "Editors:OpenIdConnect:Authority: is not an https address; write that of the sign-in service, such as https://login.example.com.",
                "Editors:OpenIdConnect:ClientId: is missing; write the name under which the sign-in service knows this program.",
                "Editors:OpenIdConnect:ClientSecret: is missing; set it, best in the environment.",
                "Editors:OpenIdConnect:Emails: is empty, so that nobody could enter; list the editors' addresses.",
            ],
            Problems());
    }

    [Fact]
    public void Each_address_that_may_enter_is_one()
    {
        environment["Editors__OpenIdConnect__Authority"] = "https://login.example.com";
        environment["Editors__OpenIdConnect__ClientId"] = "digest";
        environment["Editors__OpenIdConnect__ClientSecret"] = "secret";
        environment["Editors__OpenIdConnect__Emails__0"] = "ada@office";
        environment["Editors__OpenIdConnect__Emails__1"] = " ";
        environment["Editors__OpenIdConnect__Emails__2"] = "bob";
        Assert.Equal(
            [
                "Editors:OpenIdConnect:Emails:1: '' is not an e-mail address; write one such as ada@example.com, or remove it.",
                "Editors:OpenIdConnect:Emails:2: 'bob' is not an e-mail address; write one such as ada@example.com, or remove it.",
            ],
            Problems());
    }

    [Fact]
    public void Lists_all_problems_at_once()
    {
        environment["Newsletter__From"] = "nobody";
        environment["Delivery__Lease"] = "soon";
        environment["Jobs__Wrokers"] = "3";
        Assert.Equal(["Newsletter:From", "Delivery:Lease", "Jobs:Wrokers"], Problems().Select(problem => problem.Split(": ")[0]));
    }

    [Fact]
    public void Says_where_the_file_is_not_UTF_8()
    {
        File.WriteAllBytes(folder.File("appsettings.json"), Encoding.Latin1.GetBytes("{\n  \"Newsletter\": {\n    \"Name\": \"Wöchentlich\"\n  }\n}\n"));
        Assert.Equal($"{folder.File("appsettings.json")}: is not UTF-8 at line 3; save it as UTF-8.", Assert.Single(Problems()));
    }

    [Theory]
    [InlineData("{ \"Jobs\": {\n  \"Workers\": } }", " at line 2, column 14")]
    [InlineData("[]", " (Top-level JSON element must be an object. Instead, 'Array' was found)")]
    [InlineData("{ \"Jobs\": { \"Workers\": 1, \"workers\": 2 } }", " (A duplicate key 'Jobs:workers' was found)")]
    public void Says_where_the_file_is_not_JSON(string json, string place)
    {
        folder.Write("appsettings.json", json);
        Assert.Equal(
            [$"{folder.File("appsettings.json")}: is not valid JSON{place}. Comments (//) and commas at the end of a list are fine."],
            Problems());
    }

    [Fact]
    public void A_file_that_is_not_text_is_a_problem_too()
    {
        File.WriteAllBytes(folder.File("appsettings.json"), [0x7b, 0xff, 0xfe, 0x00]);
        Assert.StartsWith($"{folder.File("appsettings.json")}: is not UTF-8 at line 1;", Assert.Single(Problems()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "pipe")]
    [InlineData("/dev/zero", "device")]
    public async Task A_file_that_is_no_regular_one_is_refused_before_it_is_opened(string? target, string kind)
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Pipes and devices are told from files on Linux alone.");
        var path = folder.File("appsettings.json");
        if (target is null) NamedPipe.Make(path);
        else File.CreateSymbolicLink(path, target);
        var cancel = TestContext.Current.CancellationToken;
        Assert.Equal(
            [$"{path}: is a {kind}, and no regular file; put the file with the settings in its place, or remove it for the defaults."],
            await Task.Run(Problems, cancel).WaitAsync(TimeSpan.FromSeconds(30), cancel));
    }

    private IReadOnlyList<string> Problems() => Assert.Throws<SettingsException>(Load).Problems;

    private ServerSettings Load()
        => SettingsLoader.Load(new InstallationFolder(folder.Path, folder.File("appsettings.json"), folder.Path), environment, new Dictionary<string, string?>());
}
