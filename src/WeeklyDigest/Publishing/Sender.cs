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

    /// <summary>Whether it is another process of this machine that lives and is stopped, as by Ctrl-Z: it keeps its rows, however long its lease has been over.</summary>
    public bool IsStopped { get; init; }

    /// <summary>The processes of this machine that live and are stopped, among those that hold rows.</summary>
    /// <param name="holders">Those that hold rows.</param>
    /// <param name="dataFolder">Where their lock files are.</param>
    public static IEnumerable<Sender> StoppedHere(IEnumerable<ClaimHolder> holders, string dataFolder)
        => holders.Where(holder => ProcessOwner.LifeOf(dataFolder, holder.Owner) == OwnerLife.Alive).Select(holder => Of(holder).WithItsStop()).Where(sender => sender.IsStopped);

    /// <summary>The same, of a process that lives on this machine, with what the system says of it: whether it is stopped.</summary>
    public Sender WithItsStop() => this with { IsStopped = Machine == Environment.MachineName && ProcessState.IsStopped(ProcessId) };

    /// <summary>What is said of one that is stopped, and what to do.</summary>
    public string DescribeStop() => string.Create(
        CultureInfo.InvariantCulture,
        $"process {ProcessId} on this machine is stopped, as by Ctrl-Z, with {Rows} {(Rows == 1 ? "delivery" : "deliveries")} in hand, which nobody else takes while it lives: let it go on (`fg` where it was started, or `kill -CONT {ProcessId}`), or end it (`kill -9 {ProcessId}`); the others go on with the rest then.");

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
