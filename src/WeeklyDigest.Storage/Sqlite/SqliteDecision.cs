using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Storage.Sqlite;

/// <summary>An editor's decision on some rows of a mailing, inside one transaction.</summary>
internal sealed class SqliteDecision(SqliteWriter transaction, DecisionPortion portion)
{
    private readonly DeliveryState from = DeliveryTransitions.Before(portion.Decision).Single();
    private readonly DeliveryState to = DeliveryTransitions.Next(DeliveryTransitions.Before(portion.Decision).Single(), portion.Decision);

    /// <summary>Changes the rows that still are in the state the decision is about.</summary>
    public DecidedRows Run(IReadOnlyList<long> subscribers)
    {
        // Cancelled means that what is not sent stays unsent; rows made pending now would wait for ever.
        if (to == DeliveryState.Pending && IsCancelled()) return new DecidedRows(0, 0, null);
        var (changed, keptOut, bounced) = (0, 0, 0L);
        foreach (var subscriber in subscribers)
        {
            if (Change(subscriber)) changed++;
            else if (Bind("IsInState", subscriber).Number() is { } isOfBounced) (keptOut, bounced) = (keptOut + 1, bounced + isOfBounced);
        }
        if (changed > 0 && to == DeliveryState.Pending) transaction.Statement("Reopen").With("@mailing", portion.MailingId).With("@now", Codes.Of(portion.At)).Run();
        return new DecidedRows(changed, keptOut, subscribers[^1]) { Bounced = bounced };
    }

    private bool Change(long subscriber)
    {
        var statement = to == DeliveryState.Pending ? Bind("Reconsider", subscriber) : Bind("Confirm", subscriber).With("@reply", LedgerReplies.Confirmed);
        return statement.With("@to", Codes.Of(to)).With("@now", Codes.Of(portion.At)).Run() == 1;
    }

    private SqliteStatement Bind(string name, long subscriber)
        => transaction.Statement(name).With("@mailing", portion.MailingId).With("@subscriber", subscriber).With("@from", Codes.Of(from));

    private bool IsCancelled()
    {
        using var row = transaction.Statement("MailingState").With("@mailing", portion.MailingId).Read();
        return row.Next() && row.Text(0) == Codes.Of(MailingState.Cancelled);
    }
}
