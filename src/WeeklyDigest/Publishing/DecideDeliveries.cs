using System.Globalization;
using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Publishing;

/// <summary>How far a decision is.</summary>
/// <param name="Done">Deliveries looked at.</param>
/// <param name="Total">Deliveries it is about, as counted at the start; more when others have come to it since.</param>
public sealed record DecisionProgress(long Done, long Total);

/// <summary>What a decision did.</summary>
/// <param name="Changed">Deliveries that are in their new state.</param>
/// <param name="KeptOut">Deliveries left as they were because the subscriber has left or bounced.</param>
/// <param name="Mailing">The mailing afterwards.</param>
/// <param name="Balance">The balance afterwards.</param>
public sealed record DecisionResult(long Changed, long KeptOut, Mailing Mailing, Balance Balance)
{
    /// <summary>Of <see cref="KeptOut"/>, those who bounced and have not left: adding them again brings them back.</summary>
    public long Bounced { get; init; }
}

/// <summary>
/// An editor's decision on all deliveries of a mailing that are uncertain, or all that have failed. Works beside a send: the ledger is
/// changed in portions, none of which holds it for long. Interrupted, what was decided stands, and the same decision does the rest.
/// </summary>
/// <param name="mailings">The mailings.</param>
/// <param name="ledger">The ledger.</param>
/// <param name="time">The clock.</param>
public sealed class DecideDeliveries(IMailingStore mailings, ILedger ledger, TimeProvider time)
{
    /// <summary>Rows in one transaction: some ten milliseconds.</summary>
    private const int Portion = 5000;

    /// <summary>Decides.</summary>
    /// <param name="mailing">The mailing.</param>
    /// <param name="decision">Resend, Confirm or Retry.</param>
    /// <param name="progress">Told after each portion.</param>
    /// <param name="cancel">Stops between two portions.</param>
    /// <exception cref="RefusedException">No delivery is in that state, or the mailing is cancelled.</exception>
    public async Task<DecisionResult> RunAsync(Mailing mailing, DeliveryEvent decision, IProgress<DecisionProgress>? progress, CancellationToken cancel)
    {
        var total = await RequireAsync(mailing, decision, cancel);
        var (changed, keptOut, bounced) = (0L, 0L, 0L);
        for (long? after = 0; after is { } from;)
        {
            var rows = await ledger.DecideAsync(new DecisionPortion(mailing.Id, decision, from, Portion, time.GetUtcNow()), cancel);
            (changed, keptOut, bounced, after) = (changed + rows.Changed, keptOut + rows.KeptOut, bounced + rows.Bounced, rows.Next);
            progress?.Report(new DecisionProgress(changed + keptOut, Math.Max(total, changed + keptOut)));
        }
        var now = await mailings.FindAsync(mailing.Id, cancel) ?? throw new RefusedException($"There is no mailing {mailing.Id}.");
        return new DecisionResult(changed, keptOut, now, await mailings.BalanceAsync(mailing.Id, cancel)) { Bounced = bounced };
    }

    /// <summary>What a decision did, in words.</summary>
    public static string Describe(DeliveryEvent decision, DecisionResult result)
    {
        var was = decision == DeliveryEvent.Retry ? "failed" : "uncertain";
        var becomes = decision == DeliveryEvent.Confirm ? "counted as sent" : "pending again";
        var kept = result.KeptOut == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"; {Deliveries(result.KeptOut, was)} {(result.KeptOut == 1 ? "stays" : "stay")} as before, since the subscriber has left or bounced");
        return string.Create(CultureInfo.InvariantCulture, $"{Deliveries(result.Changed, was)} {(result.Changed == 1 ? "is" : "are")} {becomes}{kept}.{BringingBack(result.Bounced)}");
    }

    private static string BringingBack(long bounced) => bounced == 0
        ? ""
        : string.Create(CultureInfo.InvariantCulture, $" {bounced} of them bounced: `weeklydigest subscribers add ADDRESS --list NAME` brings an address back; do this again then.");

    private async Task<long> RequireAsync(Mailing mailing, DeliveryEvent decision, CancellationToken cancel)
    {
        if (decision != DeliveryEvent.Confirm && mailing.State == MailingState.Cancelled)
            throw new RefusedException($"{mailing.Issue} is cancelled; what was not sent stays unsent.");
        var balance = await mailings.BalanceAsync(mailing.Id, cancel);
        var (count, state) = decision == DeliveryEvent.Retry ? (balance.Failed, "failed") : (balance.Uncertain, "uncertain");
        return count > 0 ? count : throw new RefusedException($"{mailing.Issue} has no {state} delivery; there is nothing to decide.");
    }

    private static string Deliveries(long count, string state)
        => string.Create(CultureInfo.InvariantCulture, $"{count} {state} {(count == 1 ? "delivery" : "deliveries")}");
}
