using Hangfire;
using Hangfire.Server;

namespace WeeklyDigest.Server.Jobs;

/// <summary>A server that runs no jobs, announced to Hangfire all the same: so the dashboard shows it, and whether it lives.</summary>
/// <param name="storage">Where it is announced.</param>
/// <param name="timeout">How long a server may be silent before it is taken off.</param>
internal sealed class IdleServer(JobStorage storage, TimeSpan timeout) : IHostedService, IDisposable
{
    private BackgroundProcessingServer? server;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        var properties = new Dictionary<string, object> { ["Queues"] = Array.Empty<string>(), ["WorkerCount"] = 0 };
        server = new BackgroundProcessingServer(
            storage, Array.Empty<IBackgroundProcess>(), properties, new BackgroundProcessingServerOptions { ServerName = Environment.MachineName, ServerTimeout = timeout });
        return Task.CompletedTask;
    }

    /// <summary>Ends when the storage has forgotten the server.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (server is null) return;
        server.SendStop();
        await server.WaitForShutdownAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose() => server?.Dispose();
}
