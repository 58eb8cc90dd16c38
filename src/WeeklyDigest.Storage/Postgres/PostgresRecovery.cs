using Dapper;
using Npgsql;
using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Storage.Postgres;

/// <summary>Takes an owner's rows back, inside one transaction. Made again, it asks everything again: when this node stood still in it, that may be hours later.</summary>
/// <param name="owner">The owner.</param>
/// <param name="onUncertain">What becomes of rows that were under way.</param>
/// <param name="now">The time; what passes until the transaction is made is added.</param>
/// <param name="time">The clock.</param>
internal sealed class PostgresRecovery(string owner, OnUncertain onUncertain, DateTimeOffset now, TimeProvider time)
{
    private readonly DateTimeOffset asked = time.GetUtcNow();

    /// <summary>Takes all of them.</summary>
    public async Task<RecoveredRows> RunAsync(NpgsqlConnection connection)
    {
        // What is cancelled now is so for every row, or for none.
        await connection.ExecuteAsync(Queries.Get("Gate"));
        // Locked first: a pardon that is under way has hold of them, and each statement below has to see what it did.
        await connection.ExecuteAsync(Queries.Get("LockOwned"), new { owner });
        return await TakeAsync(connection, long.MaxValue);
    }

    /// <summary>Takes them when the owner's lease is over by the database's clock; what it claims meanwhile, with a later one, stays with it.</summary>
    public async Task<RecoveredRows> RunIfLapsedAsync(NpgsqlConnection connection)
    {
        await connection.ExecuteAsync(Queries.Get("Gate"));
        return await connection.ExecuteScalarAsync<long?>(Queries.Get("LockOwned"), new { owner }) is { } until
            ? await TakeAsync(connection, until)
            : new RecoveredRows(0, 0, 0);
    }

    private async Task<RecoveredRows> TakeAsync(NpgsqlConnection connection, long until)
    {
        var parameters = new { owner, until, now = Codes.Of(now + (time.GetUtcNow() - asked)), reply = LedgerReplies.OwnerDied };
        var abandoned = await connection.ExecuteAsync(Queries.Get("AbandonClaimed"), parameters);
        return new RecoveredRows(
            Released: await connection.ExecuteAsync(Queries.Get("Release"), parameters),
            SentAgain: onUncertain == OnUncertain.Resend ? await connection.ExecuteAsync(Queries.Get("SendAgain"), parameters) : 0,
            Uncertain: abandoned + await connection.ExecuteAsync(Queries.Get("LoseTrack"), parameters));
    }
}
