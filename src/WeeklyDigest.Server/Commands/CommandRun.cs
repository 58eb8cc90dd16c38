using Spectre.Console;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Server.Commands;

/// <summary>One run of a command: settings, logs, console, and the installation once it is needed.</summary>
/// <param name="host">The process.</param>
/// <param name="verbose">Whether to log much.</param>
internal sealed class CommandRun(CommandHost host, bool verbose) : IAsyncDisposable
{
    private ServerSettings? settings;
    private ILoggerFactory? logs;
    private Installation? installation;
    private IAnsiConsole? console;
    private BusyNotice? busy;

    /// <summary>The process.</summary>
    public CommandHost Host => host;

    /// <summary>Results go here.</summary>
    public TextWriter Out => host.Out;

    /// <summary>Problems and notices go here.</summary>
    public TextWriter Error => host.Error;

    /// <summary>The same for very many rows: told in large parts, the last one at the end of the run, or when they are flushed.</summary>
    public TextWriter BeginRows()
    {
        host.BeginRows();
        return host.Out;
    }

    /// <summary>Tables and progress bars, when somebody watches (<see cref="CommandHost.OutIsTerminal"/>).</summary>
    public IAnsiConsole Console => console ??= AnsiConsole.Create(new AnsiConsoleSettings
    {
        Out = new AnsiConsoleOutput(host.Out),
        Ansi = host.OutIsTerminal ? AnsiSupport.Detect : AnsiSupport.No,
        Interactive = host.OutIsTerminal ? InteractionSupport.Detect : InteractionSupport.No,
        ColorSystem = host.Environment.GetValueOrDefault("NO_COLOR") is { Length: > 0 } ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
    });

    /// <summary>The settings, without anything given as an option.</summary>
    /// <exception cref="SettingsException">Something is wrong with them.</exception>
    public ServerSettings Settings => settings ??= Load([]);

    /// <summary>Reads the settings.</summary>
    /// <param name="options">Settings given as options of the command, by full name.</param>
    /// <exception cref="RefusedException">The current folder belongs to no installation.</exception>
    /// <exception cref="SettingsException">Something is wrong with them.</exception>
    public ServerSettings Load(Dictionary<string, string?> options)
        => SettingsLoader.Load(InstallationFolder.Find(host.Directory, host.ProgramFolder), host.Environment, options);

    /// <summary>Reads the settings; where there is no installation, those of the example that came with the program.</summary>
    /// <param name="options">Settings given as options of the command, by full name.</param>
    /// <exception cref="SettingsException">Something is wrong with them.</exception>
    public ServerSettings LoadOrExample(Dictionary<string, string?> options)
        => SettingsLoader.Load(InstallationFolder.FindOrExample(host.Directory, host.ProgramFolder), host.Environment, options);

    /// <summary>Opens the installation for a command that ends: it listens on no fixed port, a server may run beside it.</summary>
    public Task<Installation> OpenAsync(CancellationToken cancel) => OpenAsync(Settings with { Inbox = Settings.Inbox with { Port = 0 } }, LogLevel.Warning, cancel);

    /// <summary>No notice of a busy database from here on: what follows tells that itself.</summary>
    public void EndNotices() => Interlocked.Exchange(ref busy, null)?.Dispose();

    /// <summary>Opens the installation; closed at the end of the run.</summary>
    /// <param name="chosen">The settings.</param>
    /// <param name="least">The lowest level that is logged; null: as the settings say.</param>
    /// <param name="cancel">Stops.</param>
    public async Task<Installation> OpenAsync(ServerSettings chosen, LogLevel? least, CancellationToken cancel)
    {
        logs = LoggerFactory.Create(logging =>
        {
            // Keys of sessions lie in Paths:Data or in the database, where the keys of links lie as well: nothing to warn about at each start.
            logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
            // Whatever stops the web server reaches the edge of the command, which says it once and in words.
            logging.AddFilter("Microsoft.Extensions.Hosting", verbose ? LogLevel.Debug : LogLevel.Critical);
            logging.AddConfiguration(chosen.Configuration.GetSection("Logging"));
            if (verbose) logging.SetMinimumLevel(LogLevel.Debug).AddFilter((_, level) => level >= LogLevel.Debug);
            else if (least is { } lowest) logging.AddFilter((_, level) => level >= lowest);
            host.ConfigureLogging(logging);
        });
        installation = await OpenPatientlyAsync(chosen, logs, cancel);
        busy = new BusyNotice(installation.Database, Error, host.Time);
        return installation;
    }

    /// <summary>The issue a command names.</summary>
    /// <param name="pathOrSlug">A path, from the current folder; or a slug; or the name of a file in the issues folder.</param>
    /// <exception cref="RefusedException">There is none.</exception>
    public IssueFile Issue(string pathOrSlug) => FindIssue(pathOrSlug) ?? throw NoIssue(pathOrSlug, PathOf(pathOrSlug), new IssueLibrary(Settings.Paths.Issues));

    /// <summary>The issue a command names, or null when there is no such file.</summary>
    /// <param name="pathOrSlug">As above.</param>
    public IssueFile? FindIssue(string pathOrSlug)
    {
        var library = new IssueLibrary(Settings.Paths.Issues);
        var path = PathOf(pathOrSlug);
        var inFolder = Path.Combine(Settings.Paths.Issues, pathOrSlug + ".md");
        return File.Exists(path) ? library.Find(path) : library.Find(pathOrSlug) ?? (File.Exists(inFolder) ? library.Find(inFolder) : null);
    }

    /// <summary>A path in an argument, made absolute.</summary>
    public string PathOf(string argument)
    {
        try
        {
            return Path.GetFullPath(argument, host.Directory);
        }
        catch (ArgumentException)
        {
            throw new RefusedException($"'{argument}' is no path.");
        }
    }

    /// <summary>Closes what was opened; doing so twice does nothing more.</summary>
    public async ValueTask DisposeAsync()
    {
        EndNotices();
        var (opened, log) = (Interlocked.Exchange(ref installation, null), Interlocked.Exchange(ref logs, null));
        if (opened is not null) await opened.DisposeAsync();
        log?.Dispose();
        await host.Out.FlushAsync(CancellationToken.None);
    }

    // SQLite blocks for up to a minute. Who is told to end leaves it at that: the process ends, and the system closes what was opened.
    private async Task<Installation> OpenPatientlyAsync(ServerSettings chosen, ILoggerFactory log, CancellationToken cancel)
    {
        var opening = Task.Run(() => Installation.OpenAsync(chosen, host.Time, log, cancel), cancel);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        if (await Task.WhenAny(opening, Task.Delay(BusyNotice.Patience, host.Time, enough.Token)) != opening && !cancel.IsCancellationRequested)
            await Error.WriteLineAsync("Opening the database takes long: it does not answer, or another program holds it. It is waited for, up to a minute; Ctrl-C ends.");
        await enough.CancelAsync();
        return await opening.WaitAsync(cancel);
    }

    private RefusedException NoIssue(string name, string path, IssueLibrary library)
    {
        if (Directory.Exists(path)) return new RefusedException($"{path} is a folder; name the issue's file or slug.");
        if (name.Contains('/', StringComparison.Ordinal) || name.Contains('\\', StringComparison.Ordinal) || name.EndsWith(".md", StringComparison.OrdinalIgnoreCase))
            return new RefusedException($"There is no file {path}.");
        var slugs = library.All().Select(file => file.Slug).ToList();
        var near = Spelling.Nearest(name, slugs) is { } nearest ? $" Did you mean {nearest}?" : "";
        var known = slugs.Count == 0 ? "no .md file in it" : string.Join(", ", slugs.TakeLast(10));
        return new RefusedException($"There is no issue '{name}' in {Settings.Paths.Issues} ({known}).{near}");
    }
}
