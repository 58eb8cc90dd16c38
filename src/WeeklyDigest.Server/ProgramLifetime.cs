namespace WeeklyDigest.Server;

/// <summary>Leaves the signals to the program, which knows whether an end was asked for and ends at once when it is asked twice; the framework's own lifetime takes them as well, and lets nothing end.</summary>
internal sealed class ProgramLifetime : IHostLifetime
{
    /// <inheritdoc/>
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
