using Microsoft.Extensions.Logging;

namespace WeeklyDigest.Tests.Jobs;

/// <summary>Keeps what is logged.</summary>
public sealed class LogLines<T> : ILogger<T>
{
    private readonly List<(LogLevel Level, string Text)> all = [];

    /// <summary>The messages.</summary>
    public IReadOnlyList<string> Lines => [.. all.Select(line => line.Text)];

    /// <summary>How bad each is.</summary>
    public IReadOnlyList<LogLevel> Levels => [.. all.Select(line => line.Level)];

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        => all.Add((logLevel, formatter(state, exception)));
}
