namespace WeeklyDigest.Server;

/// <summary>
/// Hangfire's log. Each of its workers and watches says that it failed whenever it tries again, with the whole stack; of trouble with the database or
/// the disk that passes one line is left, once for all of them.
/// </summary>
/// <param name="log">Where the lines go.</param>
/// <param name="trouble">Knows such trouble.</param>
internal sealed class HangfireLog(ILogger log, KnownTrouble trouble) : ILogger
{
    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => log.BeginScope(state);

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => log.IsEnabled(logLevel);

    /// <inheritdoc/>
    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (trouble.Words(exception) is not { } words)
        {
            log.Log(logLevel, eventId, state, exception, formatter);
            return;
        }
        if (!log.IsEnabled(logLevel) || !trouble.IsNews("Hangfire: " + words)) return;
        var line = formatter(state, null);
        log.Log(logLevel, eventId, "{Line}", line.Contains(words, StringComparison.Ordinal) ? line : $"Hangfire cannot use its storage, and tries again by itself: {words}");
    }
}
