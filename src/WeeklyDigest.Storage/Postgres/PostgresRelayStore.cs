using Dapper;
using WeeklyDigest.Publishing;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Storage.Postgres;

/// <summary>The relays' budgets on PostgreSQL, by the database's clock: nodes whose clocks differ share one row of places.</summary>
internal sealed class PostgresRelayStore(PostgresServer server) : IRelayStore
{
    /// <inheritdoc/>
    public Task<RelayDraw> DrawAsync(string relay, RelayRates rates, int count, CancellationToken cancel)
        => server.TransactAsync(
            async connection =>
            {
                await connection.ExecuteAsync(Queries.Get("AddRelayBudget"), new { relay });
                await connection.ExecuteAsync(Queries.Get("LockRelayBudget"), new { relay });
                var row = await connection.QuerySingleAsync<BudgetRow>(Queries.Get("RelayBudget"), new { relay });
                var draw = rates.Draw(new RelayBudget(row.Second, row.Minute, row.Hour), row.Now, count);
                await connection.ExecuteAsync(
                    Queries.Get("KeepRelayBudget"), new { relay, second = draw.Left.Second, minute = draw.Left.Minute, hour = draw.Left.Hour });
                return draw;
            },
            cancel);

    /// <inheritdoc/>
    public Task<IReadOnlyList<RelayAside>> AsideAsync(CancellationToken cancel)
        => server.RunAsync<IReadOnlyList<RelayAside>>(
            async connection => [.. (await connection.QueryAsync<RelayAsideRow>(Queries.Get("RelaysAside"))).Select(row => row.ToAside())], cancel);

    /// <inheritdoc/>
    public Task NoteAsideAsync(RelayAside aside, CancellationToken cancel)
        => server.TransactAsync(
            connection => connection.ExecuteAsync(
                Queries.Get("SetRelayAside"), new { relay = aside.Relay, kind = Codes.Of(aside.Kind), reason = aside.Reason, at = Codes.Of(aside.At) }),
            cancel);

    /// <inheritdoc/>
    public Task TakeBackAsync(string relay, CancellationToken cancel)
        => server.TransactAsync(connection => connection.ExecuteAsync(Queries.Get("TakeRelayBack"), new { relay }), cancel);

    private sealed class BudgetRow
    {
        public double Second { get; init; }
        public double Minute { get; init; }
        public double Hour { get; init; }
        public double Now { get; init; }
    }
}
