using System.Globalization;
using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Publishing;

/// <summary>A process that works on a mailing, as the ledger knows it: by the rows it holds.</summary>
/// <param name="Machine">Its machine's name.</param>
/// <param name="ProcessId">Its number there.</param>
/// <param name="MailingId">The mailing.</param>
/// <param name="Rows">Rows it holds: ready to be sent, or being sent.</param>
/// <param name="LeaseUntil">When others take them, unless it shows before that it lives.</param>
public sealed record Sender(string Machine, int ProcessId, long MailingId, long Rows, DateTimeOffset LeaseUntil)
{
    /// <summary>Whether it is the process that asks.</summary>
    public bool IsThisProcess { get; init; }

    /// <summary>Whether it is another process of this machine that lives, as its lock file tells: it keeps its rows, however long its lease has been over.</summary>
    public bool IsAliveHere { get; init; }

    /// <summary>The processes of this machine that live, among those that hold rows.</summary>
    /// <param name="holders">Those that hold rows.</param>
    /// <param name="dataFolder">Where their lock files are.</param>
    public static IEnumerable<Sender> AliveHere(IEnumerable<ClaimHolder> holders, string dataFolder)
        => holders.Where(holder => ProcessOwner.LifeOf(dataFolder, holder.Owner) == OwnerLife.Alive).Select(holder => Of(holder) with { IsAliveHere = true });

    /// <summary>Whether it lives here and gives no sign of it: one that is at work prolongs its lease, and this one's has been over for longer than a lease.</summary>
    /// <param name="lease">The length of a lease.</param>
    /// <param name="now">The time.</param>
    public bool IsSilent(TimeSpan lease, DateTimeOffset now) => IsAliveHere && LeaseUntil + lease < now;

    /// <summary>What is said of one that is silent: since when, and what to do.</summary>
    /// <param name="lease">The length of a lease.</param>
    /// <param name="zone">The time zone of the times that are shown.</param>
    public string DescribeSilence(TimeSpan lease, TimeZoneInfo zone)
    {
        var place = Machine == Environment.MachineName ? "this machine" : Machine;
        var since = TimeZoneInfo.ConvertTime(LeaseUntil - lease, zone);
        return string.Create(CultureInfo.InvariantCulture, $"process {ProcessId} on {place} has {Rows} {(Rows == 1 ? "delivery" : "deliveries")} in hand and has given no sign of life since {since:yyyy-MM-dd HH:mm:ss zzz}: it is stopped, as by Ctrl-Z, or hangs. What it has in hand stays with it while it lives: let it go on (`fg` where it was started, or `kill -CONT {ProcessId}`), or end it (`kill -9 {ProcessId}`); the others take that over at once then.");
    }

    /// <summary>Reads the parts of an owner's name as <see cref="ProcessOwner"/> puts them together: machine, process, random part, mailing.</summary>
    public static Sender Of(ClaimHolder holder)
    {
        var (machine, processId, mailingId) = PartsOf(holder.Owner);
        return new Sender(machine, processId, mailingId, holder.Rows, holder.LeaseUntil);
    }

    /// <summary>The machine, the process and the mailing in an owner's name.</summary>
    public static (string Machine, int ProcessId, long MailingId) PartsOf(string owner)
    {
        var parts = owner.Split('/');
        return (parts[0], Number(parts[1]), Number(parts[^1]));

        static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
    }
}
