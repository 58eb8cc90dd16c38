namespace WeeklyDigest.Deliveries;

/// <summary>How many messages a process has had accepted of a mailing. For people: the deliveries alone say what was sent.</summary>
/// <param name="Owner">The process and the mailing, as claims name them.</param>
/// <param name="Sent">Messages that a relay accepted and whose outcome is written, since <paramref name="Since"/>.</param>
/// <param name="Since">When the process began on the mailing.</param>
/// <param name="At">When it said so; up to five seconds behind while it sends. It says so only when something was accepted since.</param>
public sealed record SentNote(string Owner, long Sent, DateTimeOffset Since, DateTimeOffset At)
{
    /// <summary>How long a note is kept: as long as somebody may have to know when something of the mailing was accepted last (<see cref="DeliveryOptions.GiveUpAfter"/>).</summary>
    public static readonly TimeSpan KeptFor = TimeSpan.FromDays(14);
}
