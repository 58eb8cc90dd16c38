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
