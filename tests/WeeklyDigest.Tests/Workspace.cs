using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using WeeklyDigest.Server.Commands;
using WeeklyDigest.Tests.Databases;

namespace WeeklyDigest.Tests;

/// <summary>
/// An installation of one test's own in a temporary folder: templates as shipped, issues and lists as the test writes them, settings
/// through the environment. Runs commands as real processes of the built program. Removed with the test.
/// </summary>
internal sealed class Workspace : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);
    private readonly TemporaryFolder folder = new();
    private readonly ConcurrentBag<RunningProgram> running = [];
    private string? serverDatabase;

    public Workspace()
    {
        foreach (var name in new[] { "issues", "subscribers" }) Directory.CreateDirectory(folder.File(name));
        File.Copy(Path.Combine(RepositoryRoot, "appsettings.json"), folder.File("appsettings.json"));
        CopyFolder(Path.Combine(RepositoryRoot, "templates"), folder.File("templates"));
        Set("Logging:LogLevel:Default", "Warning").Set("Paths:TemplateCache", TemplateCache);
    }

    /// <summary>The top of the clone this test was built from.</summary>
    public static string RepositoryRoot { get; } = FindRepository();

    /// <summary>Nine in the morning (UTC) of a day some weeks ahead.</summary>
    public static DateTimeOffset Later { get; } = new(TimeProvider.System.GetUtcNow().UtcDateTime.Date.AddDays(60).AddHours(9), TimeSpan.Zero);

    /// <summary>Compiled templates for all installations of the tests: most of them never change a template.</summary>
    public static string TemplateCache { get; } = Path.Combine(AppContext.BaseDirectory, "compiled-templates");

    /// <summary>The installation's folder.</summary>
    public string Root => folder.Path;

    /// <summary>The database, once a command has created it.</summary>
    public string DatabaseFile => folder.File("data/weeklydigest.db");

    /// <summary>Where the built-in inbox keeps what it received.</summary>
    public string InboxFolder => folder.File("data/inbox");

    /// <summary>Settings that commands get through the environment, by environment variable.</summary>
    public Dictionary<string, string> Environment { get; } = [];

    /// <summary>Sets a setting, such as <c>Smtp:Relays:0:Host</c>.</summary>
    public Workspace Set(string key, object value)
    {
        Environment[key.Replace(":", "__", StringComparison.Ordinal)] = FormattableString.Invariant($"{value}");
        return this;
    }

    /// <summary>Puts the database on one of the two kinds: <c>sqlite</c>, or <c>postgres</c> with a new database on the tests' server.</summary>
    public Workspace On(string provider)
    {
        if (provider == "sqlite") return this;
        serverDatabase = SharedPostgres.NewDatabase();
        return OnDatabase(serverDatabase);
    }

    /// <summary>Uses a database of PostgreSQL that stays somebody else's.</summary>
    public Workspace OnDatabase(string connection) => Set("Storage:Provider", "postgres").Set("Storage:ConnectionString", connection);

    /// <summary>Uses the database of another installation, on the tests' server; it stays the other's.</summary>
    public Workspace Shares(Workspace other) => OnDatabase(other.serverDatabase!);

    /// <summary>Points the only relay at a port of this machine, without TLS.</summary>
    public Workspace UseRelay(int port, int connections = 4)
        => Set("Smtp:Relays:0:Name", "test").Set("Smtp:Relays:0:Host", "127.0.0.1").Set("Smtp:Relays:0:Port", port)
            .Set("Smtp:Relays:0:Security", "none").Set("Smtp:Relays:0:Connections", connections);

    /// <summary>Writes a file of the installation, such as <c>issues/week-1.md</c>.</summary>
    public string Write(string name, string text) => folder.Write(name, text);

    /// <summary>The path of a file of the installation.</summary>
    public string PathOf(string name) => folder.File(name);

    /// <summary>Copies our own week 1 into the issues folder.</summary>
    public Workspace WithWeek1()
    {
        File.Copy(Path.Combine(RepositoryRoot, "issues", "week-1.md"), folder.File("issues/week-1.md"));
        return this;
    }

    /// <summary>Writes a list of so many subscribers: subscriber000001@example.com and so on.</summary>
    public Workspace WithSubscribers(int count, string list = "all")
    {
        var csv = new StringBuilder("email,name\n");
        for (var i = 1; i <= count; i++) csv.Append(null, $"subscriber{i:D6}@example.com,Subscriber {i}\n");
        Write($"subscribers/{list}.csv", csv.ToString());
        return this;
    }

    /// <summary>Runs a command to its end.</summary>
    public async Task<CommandResult> RunAsync(params string[] arguments)
    {
        using var program = Start(arguments);
        return await program.EndAsync(Limit);
    }

    /// <summary>Runs a command to its end within this process: faster, and a debugger can follow it.</summary>
    public async Task<CommandResult> RunHereAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        using var deadline = new CancellationTokenSource(Limit);
        var code = await CommandLine.RunAsync(arguments, new CommandHost
        {
            Out = output, Error = errors, In = new StringReader(Input), Environment = Environment, Directory = Root, Stopping = deadline.Token,
        });
        return new CommandResult(code, output.ToString(), errors.ToString());
    }

    /// <summary>What commands run within this process read from stdin.</summary>
    public string Input { get; set; } = "";

    /// <summary>Runs a command to its end and reads what it printed as JSON; exit codes other than 0 and 3 fail the test.</summary>
    public async Task<JsonElement> JsonAsync(params string[] arguments)
    {
        var result = await RunAsync(arguments);
        Assert.True(result.ExitCode is 0 or 3, result.ToString());
        return JsonDocument.Parse(result.Out).RootElement;
    }

    /// <summary>As <see cref="JsonAsync"/>, within this process.</summary>
    public async Task<JsonElement> JsonHereAsync(params string[] arguments)
    {
        var result = await RunHereAsync(arguments);
        Assert.True(result.ExitCode is 0 or 3, result.ToString());
        return JsonDocument.Parse(result.Out).RootElement;
    }

    /// <summary>A program and its arguments that programs are started through, such as a shell that sets limits first.</summary>
    public IReadOnlyList<string> Through { get; set; } = [];

    /// <summary>Starts a command; it is killed at the end of the test at the latest.</summary>
    public RunningProgram Start(params string[] arguments)
    {
        string[] line = [.. Through, ProgramFile, .. arguments];
        var start = new ProcessStartInfo(line[0], line[1..])
        {
            WorkingDirectory = Root, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true,
            StandardOutputEncoding = Encoding.UTF8, StandardErrorEncoding = Encoding.UTF8,
        };
        foreach (var (name, value) in Environment) start.Environment[name] = value;
        var program = new RunningProgram(start);
        running.Add(program);
        return program;
    }

    public void Dispose()
    {
        foreach (var program in running) program.Dispose();
        if (serverDatabase is not null) SharedPostgres.Server.Drop(serverDatabase);
        folder.Dispose();
    }

    private static string ProgramFile
        => Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "weeklydigest.exe" : "weeklydigest");

    private static string FindRepository()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (File.Exists(Path.Combine(at.FullName, "WeeklyDigest.sln"))) return at.FullName;
        throw new InvalidOperationException("The tests have to run from within the clone.");
    }

    private static void CopyFolder(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from)) File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        foreach (var inner in Directory.EnumerateDirectories(from)) CopyFolder(inner, Path.Combine(to, Path.GetFileName(inner)));
    }
}
