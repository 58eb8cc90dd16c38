using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Server.Desk;

/// <summary>
/// Keeps the nodes' keys of cookies and forms alike. A node reads the keys once a day, and a key that is made when there is none is used at once: two
/// that started at the same moment would each make one, and be strangers to each other until the next day. So nodes take turns with their first
/// look. A following key is made two days before it is used, but only by who looks: so everybody looks, however long no editor comes.
/// </summary>
/// <param name="database">The database that the nodes share.</param>
/// <param name="protection">Has the keys.</param>
/// <param name="time">The clock.</param>
/// <param name="log">Where it says that the keys cannot be read.</param>
internal sealed class KeyRingWatch(Database database, IDataProtectionProvider protection, TimeProvider time, ILogger<KeyRingWatch> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    /// <summary>Reads the keys, making the first one; nothing is served before.</summary>
    /// <exception cref="StorageException">The database cannot be used.</exception>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            database.Alone(Look);
        }
        catch (CryptographicException failure) when (failure.InnerException is StorageException problem)
        {
            ExceptionDispatchInfo.Throw(problem);
        }
        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                Look();
            }
            catch (Exception problem)
            {
                // Nothing leaves this: it would end the server. What was read before stays in use.
                log.LogWarning(problem, "The keys of cookies and forms cannot be read again");
            }
        }
    }

    // Using a key is what lets the framework read them, when it is time.
    private byte[] Look() => protection.CreateProtector(nameof(KeyRingWatch)).Protect([]);
}
