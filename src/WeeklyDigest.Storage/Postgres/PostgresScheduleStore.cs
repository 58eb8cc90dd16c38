using Dapper;
using Npgsql;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Storage.Postgres;

/// <summary>The schedule on PostgreSQL.</summary>
internal sealed class PostgresScheduleStore(PostgresServer server) : IScheduleStore
{
    /// <inheritdoc/>
    public Task<Schedule> AdoptAsync(string cron, string timeZone, DateTimeOffset now, CancellationToken cancel)
        => server.TransactAsync(
            async connection =>
            {
                var parameters = new { cron, zone = timeZone, now = Codes.Of(now), configured = ScheduleWords.Configured(cron, timeZone) };
                if (await connection.ExecuteAsync(Queries.Get("AdoptSchedule"), parameters) > 0) await TakeBackAsync(connection);
                return (await connection.QuerySingleAsync<ScheduleRow>(Queries.Get("Schedule"))).ToSchedule();
            },
            cancel);

    /// <inheritdoc/>
    public Task<Schedule?> FindAsync(CancellationToken cancel)
        => server.RunAsync(async connection => (await connection.QuerySingleOrDefaultAsync<ScheduleRow>(Queries.Get("Schedule")))?.ToSchedule(), cancel);

    /// <inheritdoc/>
    public Task ChangeAsync(Schedule schedule, CancellationToken cancel)
        => server.TransactAsync(
            async connection =>
            {
                var parameters = new { cron = schedule.Cron, zone = schedule.TimeZone, on = schedule.IsOn ? 1L : 0L, now = Codes.Of(schedule.Since) };
                await connection.ExecuteAsync(Queries.Get("ChangeSchedule"), parameters);
                return await TakeBackAsync(connection);
            },
            cancel);

    /// <inheritdoc/>
    public Task<bool> AddAsync(Occurrence occurrence, Schedule of, CancellationToken cancel)
        => server.TransactAsync(
            async connection =>
            {
                // Locked until the commit: a change of the schedule comes before, and is seen, or after, and takes this one back.
                await connection.ExecuteAsync(Queries.Get("LockSchedule"));
                var parameters = new { due = Codes.Of(occurrence.DueAt), state = Codes.Of(occurrence.State), note = occurrence.Note, since = Codes.Of(of.Since) };
                return await connection.ExecuteAsync(Queries.Get("AddOccurrence"), parameters) == 1;
            },
            cancel);

    /// <inheritdoc/>
    public Task<IReadOnlyList<Occurrence>> DueAsync(CancellationToken cancel)
        => server.RunAsync<IReadOnlyList<Occurrence>>(
            async connection => [.. (await connection.QueryAsync<OccurrenceRow>(Queries.Get("DueOccurrences"))).Select(row => row.ToOccurrence())], cancel);

    /// <inheritdoc/>
    public Task<Occurrence?> FindAsync(DateTimeOffset dueAt, CancellationToken cancel)
        => server.RunAsync(connection => OneAsync(connection, "Occurrence", new { due = Codes.Of(dueAt) }), cancel);

    /// <inheritdoc/>
    public Task<Occurrence?> LastAsync(DateTimeOffset until, CancellationToken cancel)
        => server.RunAsync(connection => OneAsync(connection, "LastOccurrence", new { until = Codes.Of(until) }), cancel);

    /// <inheritdoc/>
    public Task<string?> ChooseAsync(DateTimeOffset dueAt, string issue, CancellationToken cancel)
        => server.TransactAsync(
            async connection => await connection.ExecuteAsync(Queries.Get("ChooseIssue"), new { due = Codes.Of(dueAt), issue }) == 1
                ? (await OneAsync(connection, "Occurrence", new { due = Codes.Of(dueAt) }))!.Issue
                : null,
            cancel);

    /// <inheritdoc/>
    public Task CloseAsync(DateTimeOffset dueAt, OccurrenceState state, string? note, CancellationToken cancel)
        => server.TransactAsync(
            connection => connection.ExecuteAsync(Queries.Get("CloseOccurrence"), new { due = Codes.Of(dueAt), state = Codes.Of(state), note }), cancel);

    private static Task<int> TakeBackAsync(NpgsqlConnection connection) => connection.ExecuteAsync(Queries.Get("TakeBackOccurrences"), new { note = ScheduleWords.TakenBack });

    private static async Task<Occurrence?> OneAsync(NpgsqlConnection connection, string query, object parameters)
        => (await connection.QuerySingleOrDefaultAsync<OccurrenceRow>(Queries.Get(query), parameters))?.ToOccurrence();
}
