using Dapper;
using Npgsql;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Storage.Postgres;

/// <summary>An editor's decision on some rows of a mailing, inside one transaction.</summary>
internal sealed class PostgresDecision(NpgsqlConnection connection, DecisionPortion portion)
{
    private readonly DeliveryState from = DeliveryTransitions.Before(portion.Decision).Single();

    /// <summary>Changes the next rows that are in the state the decision is about.</summary>
    public async Task<DecidedRows> RunAsync()
    {
        var to = DeliveryTransitions.Next(from, portion.Decision);
        // Rows become open here, so nobody may close the mailing between our look and our commit.
        await connection.ExecuteAsync(Queries.Get("LockMailing"), new { mailing = portion.MailingId });
        var (state, _) = await connection.QuerySingleOrDefaultAsync<(string?, long?)>(Queries.Get("MailingState"), new { mailing = portion.MailingId });
        // Cancelled means that what is not sent stays unsent; rows made pending now would wait for ever.
        if (to == DeliveryState.Pending && state == Codes.Of(MailingState.Cancelled)) return new DecidedRows(0, 0, null);
        var rows = (await connection.QueryAsync<long>(Queries.Unhurried("RowsInState", Parameters(to, [])))).ToArray();
        if (rows.Length == 0) return new DecidedRows(0, 0, null);
        var changed = await connection.ExecuteAsync(Queries.Get(to == DeliveryState.Pending ? "Reconsider" : "Confirm"), Parameters(to, rows));
        if (changed > 0 && to == DeliveryState.Pending) await connection.ExecuteAsync(Queries.Get("Reopen"), new { mailing = portion.MailingId, now = Codes.Of(portion.At) });
        var (keptOut, bounced) = await connection.QuerySingleAsync<(long, long)>(Queries.Get("CountInState"), Parameters(to, rows));
        return new DecidedRows(changed, keptOut, rows[^1]) { Bounced = bounced };
    }

    private object Parameters(DeliveryState to, long[] subscribers) => new
    {
        mailing = portion.MailingId, from = Codes.Of(from), to = Codes.Of(to), after = portion.After, count = portion.Count, subscribers,
        now = Codes.Of(portion.At), reply = LedgerReplies.Confirmed,
    };
}
