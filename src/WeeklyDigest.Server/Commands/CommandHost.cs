namespace WeeklyDigest.Server.Commands;

/// <summary>What a command knows of the process it runs in, so that tests can run many commands in one process.</summary>
internal sealed record CommandHost
{
    /// <summary>Results.</summary>
    public required TextWriter Out { get; init; }

    /// <summary>Called before many rows are printed to <see cref="Out"/>: these need not be told one by one, as everything else is.</summary>
    public Action BeginRows { get; init; } = () => { };

    /// <summary>Problems and notices.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>Answers.</summary>
    public TextReader In { get; init; } = TextReader.Null;

    /// <summary>Whether somebody watches <see cref="Out"/>: progress bars and tables then, plain lines else.</summary>
    public bool OutIsTerminal { get; init; }

    /// <summary>Whether somebody types <see cref="In"/>.</summary>
    public bool InIsTerminal { get; init; }

    /// <summary>Environment variables.</summary>
    public required IReadOnlyDictionary<string, string> Environment { get; init; }

    /// <summary>The current folder: paths in arguments count from here.</summary>
    public required string Directory { get; init; }

    /// <summary>Where the program's files stand.</summary>
    public string ProgramFolder { get; init; } = AppContext.BaseDirectory;

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Where logs go.</summary>
    public Action<ILoggingBuilder> ConfigureLogging { get; init; } = _ => { };

    /// <summary>Cancelled by Ctrl-C, SIGTERM, SIGQUIT and SIGHUP.</summary>
    public CancellationToken Stopping { get; init; }

    /// <summary>The end that comes too late after that.</summary>
    public LateEnd LateEnd { get; init; } = new();
}
