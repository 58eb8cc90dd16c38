using Dapper;
using WeeklyDigest.Publishing;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Storage.Sqlite;

/// <summary>The relays' budgets on SQLite, by the clock of this machine: all processes on a file are on one machine.</summary>
internal sealed class SqliteRelayStore(SqliteWriter writer, SqliteReaders readers, TimeProvider time) : IRelayStore
{
    /// <inheritdoc/>
    public Task<RelayDraw> DrawAsync(string relay, RelayRates rates, int count, CancellationToken cancel)
        => writer.TransactAsync(
            transaction =>
            {
                var draw = rates.Draw(Budget(transaction, relay), (time.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalMilliseconds, count);
                transaction.Statement("KeepRelayBudget").With("@relay", relay)
                    .With("@second", draw.Left.Second).With("@minute", draw.Left.Minute).With("@hour", draw.Left.Hour).Run();
                return draw;
            },
            cancel);

    /// <inheritdoc/>
    public Task<IReadOnlyList<RelayAside>> AsideAsync(CancellationToken cancel)
        => readers.ReadAsync<IReadOnlyList<RelayAside>>(
            connection => [.. connection.Query<RelayAsideRow>(Queries.Get("RelaysAside")).Select(row => row.ToAside())], cancel);

    /// <inheritdoc/>
    public Task NoteAsideAsync(RelayAside aside, CancellationToken cancel)
        => writer.TransactAsync(
            transaction => transaction.Statement("SetRelayAside").With("@relay", aside.Relay)
                .With("@kind", Codes.Of(aside.Kind)).With("@reason", aside.Reason).With("@at", Codes.Of(aside.At)).Run(),
            cancel);

    /// <inheritdoc/>
    public Task TakeBackAsync(string relay, CancellationToken cancel)
        => writer.TransactAsync(transaction => transaction.Statement("TakeRelayBack").With("@relay", relay).Run(), cancel);

    private static RelayBudget Budget(SqliteWriter transaction, string relay)
    {
        using var row = transaction.Statement("RelayBudget").With("@relay", relay).Read();
        return row.Next() ? new RelayBudget(row.Real(0), row.Real(1), row.Real(2)) : default;
    }
}
