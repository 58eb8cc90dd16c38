using WeeklyDigest.Server.Commands.Doctor;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Server.Jobs;

/// <summary>
/// Compares this node's clock with that of the database, which all nodes share: leases and rates are counted by the database's, but when a mailing, a time of
/// the schedule or a retry is due each node says by its own. One that is wrong is said in the log, once, and again when it is right.
/// </summary>
/// <param name="database">The database.</param>
/// <param name="time">The clock.</param>
/// <param name="log">The log.</param>
internal sealed class ClockWatch(Database database, TimeProvider time, ILogger<ClockWatch> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);
    private bool isWrong;

    /// <summary>Looks once.</summary>
    /// <exception cref="StorageException">The database does not answer.</exception>
    public async Task LookAsync(CancellationToken cancel)
    {
        var before = time.GetTimestamp();
        if (await database.ServerTimeAsync(cancel) is not { } shared) return;
        // However long the answer was under way: no more than that is taken off.
        var off = (time.GetUtcNow() - shared).Duration() - time.GetElapsedTime(before);
        var wasWrong = isWrong;
        isWrong = off > ClockCheck.Tolerance;
        if (isWrong && !wasWrong)
            log.LogError("The clock of this machine shows {Here:yyyy-MM-dd HH:mm:ss} UTC, the database's {There:yyyy-MM-dd HH:mm:ss} UTC: this node starts mailings at the wrong time. Set the one that is wrong, and keep it right by an NTP client", time.GetUtcNow(), shared);
        else if (wasWrong && !isWrong)
            log.LogWarning("The clock of this machine and the database's agree again");
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            do await TryLookAsync(stoppingToken);
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops, or its start is broken off: no failure either way.
        }
    }

    private async Task TryLookAsync(CancellationToken cancel)
    {
        try
        {
            await LookAsync(cancel);
        }
        catch (Exception problem) when (problem is not OperationCanceledException)
        {
            // Whoever needs the database says so. Nothing leaves this: it would end the server.
        }
    }
}
