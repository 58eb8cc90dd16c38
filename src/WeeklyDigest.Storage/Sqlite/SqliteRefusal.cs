using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Storage.Sqlite;

/// <summary>What follows from a refusal beside the delivery's failure, inside the transaction that writes it.</summary>
internal sealed class SqliteRefusal(SqliteWriter transaction, LedgerWrite write)
{
    private readonly long now = Codes.Of(write.At);

    /// <summary>Notes it; suppresses the address or raises the alarm where that is due.</summary>
    public void Note()
    {
        OfDelivery("NoteRefusal").With("@refusal", Codes.Of(write.Refusal)).Run();
        if (write.Relay is { } relay) Doubt(relay);
        if (write.Refusal == Refusal.Policy) RaiseAlarm();
        else if (write.Refusal == Refusal.Address || (write.Refusal == Refusal.Mailbox && IsRepeated())) SuppressAddress();
    }

    /// <summary>Forgets what was refused before the relay worked last.</summary>
    /// <returns>How many were forgotten.</returns>
    public static int Trust(SqliteWriter transaction, RelayStanding relay)
        => transaction.Statement("TrustRelay").With("@relay", relay.Relay)
            .With("@accepted", Codes.Of(relay.AcceptedAt)).With("@answered", Codes.Of(relay.AnsweredAt)).With("@newest", Codes.Of(relay.Newest)).Run();

    private void Doubt(RelayStanding relay)
    {
        OfDelivery("DoubtRelay").With("@relay", relay.Relay).With("@stamp", write.Stamp).With("@now", now).Run();
        Trust(transaction, relay);
    }

    private bool IsRepeated() => OfDelivery("MailboxRefusalsBefore").Number() >= LedgerWrite.MailboxRefusalsToSuppress - 1;

    private void SuppressAddress()
    {
        OfSubscriber("SuppressBounced").With("@source", $"refused by the relay: {write.Reply}").With("@now", now).Run();
        OfSubscriber("NoteBounced").With("@now", now).Run();
    }

    private void RaiseAlarm()
        => OfDelivery("RaiseAlarm").With("@reply", write.Reply ?? "").With("@limit", DomainAlarm.RefusalsInARow).With("@stops", write.StopsDomain is null ? 0 : 1).With("@now", now).Run();

    private SqliteStatement OfDelivery(string name) => OfSubscriber(name).With("@mailing", write.Id.MailingId);

    private SqliteStatement OfSubscriber(string name) => transaction.Statement(name).With("@subscriber", write.Id.SubscriberId);
}
