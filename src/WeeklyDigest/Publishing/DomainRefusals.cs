using System.Collections.Concurrent;
using System.Globalization;
using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Publishing;

/// <summary>
/// Counts for one run how often each receiving domain refused us in a row. The ledger counts as well, over all processes and restarts; this
/// is what lets the run stop at the very refusal that is one too many, and spares it a write for every message that is accepted.
/// </summary>
/// <param name="known">The ledger's alarms as the run begins.</param>
/// <param name="warn">Told of each domain's first refusal and of its stop.</param>
internal sealed class DomainRefusals(IEnumerable<DomainAlarm> known, Action<string> warn)
{
    // Only domains that refuse are in here.
    private readonly ConcurrentDictionary<long, int> inARow = new(known.Where(alarm => alarm.InARow > 0).Select(alarm => KeyValuePair.Create(alarm.DomainId, (int)alarm.InARow)));

    /// <summary>Whether an outcome ends the row of its domain, which the ledger has to be told.</summary>
    public bool IsEnd(Delivery delivery, SendOutcome outcome)
        => outcome.Result == SendResult.Accepted && !inARow.IsEmpty && inARow.TryRemove(delivery.DomainId, out _);

    /// <summary>Notes an outcome.</summary>
    /// <returns>Whether the mailing leaves the domain alone from now on.</returns>
    public bool IsStop(Delivery delivery, SendOutcome outcome)
    {
        if (outcome.Refusal != Refusal.Policy) return false;
        var count = inARow.AddOrUpdate(delivery.DomainId, 1, (_, before) => before + 1);
        var domain = delivery.Recipient.Address.Domain;
        if (count == 1) warn($"{domain} refuses this mailing; nobody there is suppressed for it: {outcome.Reply}");
        if (count == DomainAlarm.RefusalsInARow) warn(Words(domain, count, outcome.Reply));
        return count >= DomainAlarm.RefusalsInARow;
    }

    /// <summary>The editor has lifted a domain's stop: it has its chance again.</summary>
    public void Forget(long domain) => inARow.TryRemove(domain, out _);

    /// <summary>A stop in words.</summary>
    public static string Words(string domain, long refusals, string reply)
        => string.Create(CultureInfo.InvariantCulture, $"{domain} refused {refusals} messages in a row and is left alone until the mailing is resumed. Its last words: {reply}");
}
