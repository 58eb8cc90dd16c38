using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Time.Testing;
using WeeklyDigest.Server.Commands.Doctor;
using WeeklyDigest.Smtp;
using WeeklyDigest.Tests.Databases;
using WeeklyDigest.Tests.JobStorage;
using WeeklyDigest.Tests.Relays;
using WeeklyDigest.Tests.Smtp.Dkim;

namespace WeeklyDigest.Tests.Commands.Doctor;

public sealed class DoctorCommandTests : IAsyncLifetime
{
    private const string Password = "correct horse battery";

    private readonly Workspace workspace = new Workspace().WithWeek1().WithSubscribers(1);
    private readonly TestDns dns = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await dns.DisposeAsync();
        workspace.Dispose();
    }

    [Fact]
    public async Task Finds_nothing_wrong_with_a_fresh_installation_and_asks_nobody()
    {
        var result = await DoctorAsync();
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Contains("ok       relay:     None is set: every message goes to the built-in inbox, and nothing leaves this machine.", result.Out, StringComparison.Ordinal);
        Assert.Contains("ok       templates: week-1-the-hardware-lottery-and-numpy-and-more renders.", result.Out, StringComparison.Ordinal);
        Assert.Contains("\n0 problems, ", result.Out.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.Equal(0, dns.Questions);
        Assert.False(Directory.Exists(workspace.PathOf("data")));
    }

    [Fact]
    public async Task Looks_at_relay_database_and_DNS_and_sends_nothing()
    {
        using var certificate = TestCertificate.Create(days: 90);
        await using var relay = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { Certificate = certificate, Username = "ada", Password = Password });
        UseRelay(relay, certificate.WritePem(workspace.Root));
        UseKey();
        Assert.Equal(0, (await workspace.RunHereAsync("subscribers", "add", "ada@example.org", "--list", "all")).ExitCode);
        Publish();

        var result = await DoctorAsync("--json");
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.True(JsonDocument.Parse(result.Out).RootElement.GetProperty("ok").GetBoolean());
        var found = Found(result);
        // The relay is on this machine, and so is the public address: nobody elsewhere could unsubscribe.
        Assert.All(found, check => Assert.True(check.Area == "clock" || check.Status == (check.Area == "address" ? "warning" : "ok"), check.ToString()));
        Assert.Equal(["settings", "folders", "database", "jobs", "relay", "templates", "address", "clock", "dkim", "spf", "dmarc"], found.Select(check => check.Area).Distinct());
        Assert.Matches(@"^'test' \(localhost:\d+\) answers over Tls1[23], took the login; it announces PIPELINING, 8BITMIME, SMTPUTF8, ENHANCEDSTATUSCODES, SIZE \d+\.$", found.Single(check => check.Area == "relay").Message);
        Assert.Equal(
            [$"{workspace.DatabaseFile} opens and has this version's schema (", $"{workspace.DatabaseFile} is sound (quick_check)."],
            found.Where(check => check.Area == "database").Select(check => check.Message[..(check.Message.IndexOf('(', StringComparison.Ordinal) + (check.Message.Contains("sound", StringComparison.Ordinal) ? 14 : 1))]));
        Assert.DoesNotContain(relay.Commands, command => command.Line.StartsWith("MAIL", StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain(Password, result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Says_what_to_do_about_each_problem_and_prints_the_record_to_publish()
    {
        await using var relay = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { Username = "ada", Password = "another" });
        workspace.UseRelay(relay.Port).Set("Smtp:Relays:0:Username", "ada").Set("Smtp:Relays:0:Password", Password);
        UseKey();
        Directory.CreateDirectory(workspace.PathOf("data"));
        await File.WriteAllTextAsync(workspace.DatabaseFile, new string('x', 5000), TestContext.Current.CancellationToken);

        var result = await DoctorAsync();
        Assert.Equal((1, ""), (result.ExitCode, result.Error));
        var output = result.Out.ReplaceLineEndings("\n");
        Assert.Contains($"problem  database:  The file {workspace.DatabaseFile} is not a database.", output, StringComparison.Ordinal);
        Assert.Matches(@"\nproblem  relay:     Relay 'test' \(127\.0\.0\.1:\d+\) refused the login: .*Check user name and password\.", output);
        Assert.Contains("problem  dkim:      wd1._domainkey.example.com has no key, so that receivers cannot check the signatures. Publish this TXT record:\n", output, StringComparison.Ordinal);
        Assert.Contains(" wd1._domainkey.example.com. IN TXT \"v=DKIM1; k=rsa; p=", output, StringComparison.Ordinal);
        Assert.Contains("warning  spf:       example.com has no SPF record", output, StringComparison.Ordinal);
        Assert.Contains("warning  dmarc:     example.com has no DMARC record", output, StringComparison.Ordinal);
        Assert.Contains("\n3 problems, ", output, StringComparison.Ordinal);
        Assert.DoesNotContain(Password, output, StringComparison.Ordinal);
        Assert.DoesNotContain("PRIVATE KEY", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lists_every_problem_of_the_settings()
    {
        workspace.Set("Newsletter:From", "nobody").Set("Dkim:Keys:0:Selector", "wd1").Set("Dkim:Keys:0:PrivateKeyFile", "none.pem");
        var found = Found(await DoctorAsync("--json"), exitCode: 1);
        Assert.Equal(["problem", "problem"], found.Select(check => check.Status));
        Assert.StartsWith("Newsletter:From: is not an e-mail address", found[0].Message, StringComparison.Ordinal);
        Assert.StartsWith("Dkim:Keys:0:PrivateKeyFile: there is no file", found[1].Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Knows_a_damaged_a_newer_and_an_exposed_database_and_changes_none()
    {
        Assert.Equal(0, (await workspace.RunHereAsync("subscribers", "add", "ada@example.org", "--list", "all")).ExitCode);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(workspace.DatabaseFile, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        var exposed = Found(await DoctorAsync("--json")).Where(check => check is { Area: "database", Status: "warning" });
        Assert.Equal(OperatingSystem.IsWindows() ? 0 : 1, exposed.Count(check => check.Message.Contains("can be read by other users", StringComparison.Ordinal)));

        Change("INSERT INTO schema_version (ScriptName, Applied) VALUES ('9999-later', '2030-01-01')");
        Assert.Contains(Found(await DoctorAsync("--json"), exitCode: 1), check => check.Status == "problem" && check.Message.Contains("was made by a newer version of this program (it has 9999-later)", StringComparison.Ordinal));
        Change("DELETE FROM schema_version WHERE ScriptName = '9999-later'");

        // A table that points at the pages of another.
        Change("PRAGMA writable_schema = ON; UPDATE sqlite_master SET rootpage = 2 WHERE name = 'list'");
        Assert.Contains(Found(await DoctorAsync("--json"), exitCode: 1), check => check is { Area: "database", Status: "problem" } && check.Message.Contains("damaged", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("DROP TABLE relay_doubt", "table relay_doubt")]
    [InlineData("DROP INDEX delivery_held; DROP TABLE sent_by", "index delivery_held, table sent_by")]
    [InlineData("ALTER TABLE mailing DROP COLUMN issue_hash", "column mailing.issue_hash")]
    [InlineData("DROP TABLE schema_version", "table schema_version")]
    public async Task Names_what_a_ledger_has_lost(string sql, string lost)
    {
        Assert.Equal(0, (await workspace.RunHereAsync("subscribers", "add", "ada@example.org", "--list", "all")).ExitCode);
        Assert.DoesNotContain(Found(await DoctorAsync("--json")), check => check.Message.Contains("lost", StringComparison.Ordinal));
        Change(sql);
        Assert.Contains(new Check("database", "problem", $"{workspace.DatabaseFile} has lost what belongs to its schema: {lost}."), Found(await DoctorAsync("--json"), exitCode: 1));
    }

    [Fact]
    public async Task Says_once_that_nothing_is_sent_while_the_ledger_s_file_is_away()
    {
        Assert.Equal(0, (await workspace.RunHereAsync("subscribers", "add", "ada@example.org", "--list", "all")).ExitCode);
        File.Move(workspace.DatabaseFile, workspace.DatabaseFile + "-wal");
        var found = (await DoctorAsync()).Out;
        Assert.Contains("move weeklydigest.db-wal and -shm away first. Nothing can be sent until then.", found, StringComparison.Ordinal);
        Assert.Single(Regex.Matches(found, "Nothing (is|can be) sent"));
    }

    [Fact]
    public async Task Says_of_a_server_s_database_that_its_tables_are_still_to_be_made()
    {
        var empty = SharedPostgres.Server.CreateDatabase();
        try
        {
            workspace.OnDatabase(empty);
            var found = Found(await DoctorAsync("--json"));
            Assert.Matches(@"^The database \w+ on 127\.0\.0\.1:\d+ opens; its tables are not there yet: the first `serve` or `send` makes them\.$", found.First(check => check.Area == "database").Message);
            Assert.DoesNotContain(found, check => check.Area == "jobs");
        }
        finally
        {
            SharedPostgres.Server.Drop(empty);
        }
    }

    [Fact]
    public async Task A_database_that_another_program_holds_is_a_warning()
    {
        Assert.Equal(0, (await workspace.RunHereAsync("subscribers", "add", "ada@example.org", "--list", "all")).ExitCode);
        using var ledger = new OtherProgram(workspace.DatabaseFile, "BEGIN IMMEDIATE");
        using var jobs = new OtherProgram(workspace.PathOf("data/jobs.db"), "BEGIN EXCLUSIVE");
        var found = Found(await DoctorAsync("--json"));
        Assert.Contains(new Check("database", "warning", $"Another program is writing to {workspace.DatabaseFile}, so that it was not found out whether this user can."), found);
        Assert.Contains(new Check("jobs", "warning", $"Another program keeps the job database {workspace.PathOf("data/jobs.db")} busy: end it, or wait until it is done."), found);
        ledger.Run("ROLLBACK; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE");
        Assert.Contains(new Check("database", "warning", $"Another program holds the database {workspace.DatabaseFile}, so that it cannot be looked at."), Found(await DoctorAsync("--json")));
    }

    [Theory]
    [InlineData("data/weeklydigest.db/x", "database", "The database {0}/data/weeklydigest.db is a folder, where a file has to be. Move it away")]
    [InlineData("data/jobs.db/x", "jobs", "The job database {0}/data/jobs.db is a folder, where a file has to be. Move it away.")]
    [InlineData("data/jobs.db", "jobs", "The file {0}/data/jobs.db is not a database. Move it away. Where no jobs.db is, a new one is made")]
    [InlineData("data/locks", "folders", "Paths:Data: {0}/data/locks is a file, where a folder has to be.")]
    [InlineData("data/keys", "folders", "Paths:Data: {0}/data/keys is a file, where a folder has to be.")]
    public async Task Knows_what_stands_where_something_else_has_to(string path, string area, string message)
    {
        workspace.Write(path, new string('x', 5000));
        var words = string.Format(System.Globalization.CultureInfo.InvariantCulture, message, workspace.Root);
        Assert.Contains(Found(await DoctorAsync("--json"), exitCode: 1), check => check.Status == "problem" && check.Area == area && check.Message.StartsWith(words, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("issues/week-1.md", null, "templates", "warning", "can be rendered.")]
    [InlineData("templates/issue.cshtml", "@Model.NoSuchThing", "templates", "problem", "cannot be sent: ")]
    [InlineData("issues/week-1.md", "---\ntitle:\n---\n", "templates", "warning", "can be rendered.")]
    public async Task Renders_the_newest_issue(string file, string? text, string area, string status, string message)
    {
        File.Delete(workspace.PathOf(file));
        if (text is not null) workspace.Write(file, text);
        var check = Found(await DoctorAsync("--json"), exitCode: status == "problem" ? 1 : 0).Single(check => check.Area == area);
        Assert.Equal(status, check.Status);
        Assert.Contains(message, check.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Says_when_a_relay_s_certificate_ends_soon()
    {
        using var certificate = TestCertificate.Create();
        await using var server = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { Certificate = certificate });
        var relay = new RelayOptions { Name = "test", Host = "localhost", Port = server.Port, Security = RelaySecurity.StartTls, TrustedCertificates = certificate.WritePem(workspace.Root) };
        var found = await RelayCheck.RunAsync(relay, signs: false, TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.Equal(Health.Warning, found.Status);
        Assert.Contains(FormattableString.Invariant($"Its certificate ends on {certificate.NotAfter.ToUniversalTime():yyyy-MM-dd}."), found.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Waits_ten_seconds_for_a_relay_that_says_nothing()
    {
        await using var server = ScriptedSmtpServer.Start(_ => SmtpMove.Stall);
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var asking = RelayCheck.RunAsync(new RelayOptions { Name = "test", Host = "127.0.0.1", Port = server.Port, Security = RelaySecurity.None }, signs: false, time, TestContext.Current.CancellationToken);
        await Eventually.HoldsAsync(() => server.OpenConnections == 1, "the relay is asked");
        time.Advance(DoctorCommand.Patience);
        var found = await asking;
        Assert.Equal(Health.Problem, found.Status);
        Assert.Equal($"Relay 'test' (127.0.0.1:{server.Port}) did not let us in within 10 seconds (greeting, TLS, EHLO, login).", found.Message);
    }

    [Theory]
    [InlineData("no server", "'no server' is no name server; write its address and port, such as 127.0.0.1:53.")]
    public async Task Refuses_a_name_server_that_is_none(string server, string expected)
    {
        var result = await workspace.RunHereAsync("doctor", "--dns", server);
        Assert.Equal((1, "", expected), (result.ExitCode, result.Out, result.Error.TrimEnd()));
    }

    private Task<CommandResult> DoctorAsync(params string[] options) => workspace.RunHereAsync(["doctor", "--dns", dns.Server.ToString(), .. options]);

    private static List<Check> Found(CommandResult result, int exitCode = 0)
    {
        Assert.Equal(exitCode, result.ExitCode);
        return [.. JsonDocument.Parse(result.Out).RootElement.GetProperty("checks").EnumerateArray()
            .Select(check => new Check(check.GetProperty("area").GetString()!, check.GetProperty("status").GetString()!, check.GetProperty("message").GetString()!))];
    }

    private void UseRelay(ScriptedSmtpServer relay, string certificate)
        => workspace.UseRelay(relay.Port).Set("Smtp:Relays:0:Host", "localhost").Set("Smtp:Relays:0:Security", "starttls").Set("Smtp:Relays:0:TrustedCertificates", certificate)
            .Set("Smtp:Relays:0:Username", "ada").Set("Smtp:Relays:0:Password", Password);

    private void UseKey()
    {
        var path = workspace.Write("keys/wd1.pem", DkimKeys.Instance.RsaPem);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead);
        workspace.Set("Dkim:Keys:0:Selector", "wd1").Set("Dkim:Keys:0:PrivateKeyFile", "keys/wd1.pem");
    }

    private void Publish()
    {
        dns.Texts["wd1._domainkey.example.com"] = [DkimRecord.TextOf(DkimKeys.Instance.Rsa)];
        dns.Texts["example.com"] = ["v=spf1 ip4:192.0.2.1 ~all"];
        dns.Texts["_dmarc.example.com"] = ["v=DMARC1; p=none"];
    }

    private void Change(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={workspace.DatabaseFile};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private sealed record Check(string Area, string Status, string Message);
}
