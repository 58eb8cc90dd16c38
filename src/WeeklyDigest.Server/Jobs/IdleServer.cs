using Hangfire;
using Hangfire.Server;

namespace WeeklyDigest.Server.Jobs;

/// <summary>A server that runs no jobs, announced to Hangfire all the same: so the dashboard shows it, and whether it lives.</summary>
/// <param name="storage">Where it is announced.</param>
internal sealed class IdleServer(JobStorage storage) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var properties = new Dictionary<string, object> { ["Queues"] = Array.Empty<string>(), ["WorkerCount"] = 0 };
        using var server = new BackgroundProcessingServer(storage, Array.Empty<IBackgroundProcess>(), properties, new BackgroundProcessingServerOptions { ServerName = Environment.MachineName });
        await server.WaitForShutdownAsync(stoppingToken);
    }
}
