using WeeklyDigest.Storage;

namespace WeeklyDigest.Server.Commands;

/// <summary>Says once that another program keeps the database busy, when a command has waited for it for three seconds.</summary>
internal sealed class BusyNotice : IDisposable
{
    /// <summary>How long is waited without a word.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Database database;
    private readonly TextWriter target;
    private readonly ITimer timer;
    private TimeSpan waited;
    private bool isSaid;

    /// <summary>Begins to look.</summary>
    /// <param name="database">The database.</param>
    /// <param name="target">Where to say it.</param>
    /// <param name="time">The clock.</param>
    public BusyNotice(Database database, TextWriter target, TimeProvider time)
    {
        (this.database, this.target) = (database, target);
        timer = time.CreateTimer(_ => Look(), null, Interval, Interval);
    }

    /// <inheritdoc/>
    public void Dispose() => timer.Dispose();

    private void Look()
    {
        waited = database.IsWaiting ? waited + Interval : TimeSpan.Zero;
        if (isSaid || waited < Patience) return;
        isSaid = true;
        target.WriteLine("Another program keeps the database busy. It is waited for, up to a minute; Ctrl-C ends.");
        target.Flush();
    }
}
