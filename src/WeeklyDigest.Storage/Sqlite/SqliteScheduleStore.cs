using Dapper;
using Microsoft.Data.Sqlite;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Storage.Sqlite;

/// <summary>The schedule on SQLite.</summary>
internal sealed class SqliteScheduleStore(SqliteWriter writer, SqliteReaders readers) : IScheduleStore
{
    /// <inheritdoc/>
    public Task<Schedule> AdoptAsync(string cron, string timeZone, DateTimeOffset now, CancellationToken cancel)
        => writer.TransactAsync(
            transaction =>
            {
                var changed = transaction.Statement("AdoptSchedule")
                    .With("@cron", cron).With("@zone", timeZone).With("@now", Codes.Of(now)).With("@configured", ScheduleWords.Configured(cron, timeZone)).Run();
                if (changed > 0) TakeBack(transaction);
                return transaction.Query<ScheduleRow>("Schedule", new { }).Single().ToSchedule();
            },
            cancel);

    /// <inheritdoc/>
    public Task<Schedule?> FindAsync(CancellationToken cancel)
        => readers.ReadAsync(connection => connection.QuerySingleOrDefault<ScheduleRow>(Queries.Get("Schedule"))?.ToSchedule(), cancel);

    /// <inheritdoc/>
    public Task ChangeAsync(Schedule schedule, CancellationToken cancel)
        => writer.TransactAsync(
            transaction =>
            {
                transaction.Statement("ChangeSchedule")
                    .With("@cron", schedule.Cron).With("@zone", schedule.TimeZone).With("@on", schedule.IsOn ? 1 : 0).With("@now", Codes.Of(schedule.Since)).Run();
                return TakeBack(transaction);
            },
            cancel);

    /// <inheritdoc/>
    public Task<bool> AddAsync(Occurrence occurrence, Schedule of, CancellationToken cancel)
        => writer.TransactAsync(
            transaction => transaction.Statement("AddOccurrence")
                .With("@due", Codes.Of(occurrence.DueAt)).With("@state", Codes.Of(occurrence.State)).With("@note", occurrence.Note).With("@since", Codes.Of(of.Since)).Run() == 1,
            cancel);

    /// <inheritdoc/>
    public Task<IReadOnlyList<Occurrence>> DueAsync(CancellationToken cancel)
        => readers.ReadAsync<IReadOnlyList<Occurrence>>(
            connection => [.. connection.Query<OccurrenceRow>(Queries.Get("DueOccurrences")).Select(row => row.ToOccurrence())], cancel);

    /// <inheritdoc/>
    public Task<Occurrence?> FindAsync(DateTimeOffset dueAt, CancellationToken cancel)
        => readers.ReadAsync(connection => One(connection, "Occurrence", new { due = Codes.Of(dueAt) }), cancel);

    /// <inheritdoc/>
    public Task<Occurrence?> LastAsync(DateTimeOffset until, CancellationToken cancel)
        => readers.ReadAsync(connection => One(connection, "LastOccurrence", new { until = Codes.Of(until) }), cancel);

    /// <inheritdoc/>
    public Task<string?> ChooseAsync(DateTimeOffset dueAt, string issue, CancellationToken cancel)
        => writer.TransactAsync(
            transaction => transaction.Statement("ChooseIssue").With("@due", Codes.Of(dueAt)).With("@issue", issue).Run() == 1
                ? transaction.Query<OccurrenceRow>("Occurrence", new { due = Codes.Of(dueAt) }).Single().Issue
                : null,
            cancel);

    /// <inheritdoc/>
    public Task CloseAsync(DateTimeOffset dueAt, OccurrenceState state, string? note, CancellationToken cancel)
        => writer.TransactAsync(
            transaction => transaction.Statement("CloseOccurrence").With("@due", Codes.Of(dueAt)).With("@state", Codes.Of(state)).With("@note", note).Run(), cancel);

    private static int TakeBack(SqliteWriter transaction) => transaction.Statement("TakeBackOccurrences").With("@note", ScheduleWords.TakenBack).Run();

    private static Occurrence? One(SqliteConnection connection, string query, object parameters)
        => connection.QuerySingleOrDefault<OccurrenceRow>(Queries.Get(query), parameters)?.ToOccurrence();
}
