namespace WeeklyDigest.Server;

/// <summary>
/// The installation's logs as the web server uses them. They outlive the server, so disposing of it does not dispose of them. And ASP.NET's
/// own remarks below a warning are left out whatever the settings say: they quote the addresses of requests, and some of ours hold tokens.
/// Antiforgery warns of each page whose Cache-Control it makes stricter, and calls it an error, with a stack, when a browser still has a token of other keys: that is
/// as it should be, whoever sends one is told, and nothing of it is left.
/// What Hangfire says of a database that is away is one line.
/// </summary>
/// <param name="logs">The installation's logs.</param>
/// <param name="trouble">Knows what one line says as well.</param>
internal sealed class WebLogs(ILoggerFactory logs, KnownTrouble trouble) : ILoggerFactory
{
    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName)
    {
        var log = logs.CreateLogger(categoryName);
        if (categoryName.StartsWith("Microsoft.AspNetCore.Antiforgery", StringComparison.Ordinal)) return new From(LogLevel.Critical, log);
        if (categoryName.StartsWith("Hangfire.", StringComparison.Ordinal)) return new HangfireLog(log, trouble);
        return categoryName.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal) ? new From(LogLevel.Warning, log) : log;
    }

    /// <inheritdoc/>
    public void AddProvider(ILoggerProvider provider) => logs.AddProvider(provider);

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private sealed class From(LogLevel least, ILogger log) : ILogger
    {
        // A scope would bring the request's path along.
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= least && log.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel)) log.Log(logLevel, eventId, state, exception, formatter);
        }
    }
}
