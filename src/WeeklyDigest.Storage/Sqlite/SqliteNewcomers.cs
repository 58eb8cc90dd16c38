using WeeklyDigest.Audience;

namespace WeeklyDigest.Storage.Sqlite;

/// <summary>
/// Inserts subscribers, inside one transaction, fifty with one statement: SQLite looks its sequence of ids up and notes it again for each statement,
/// which takes as long as entering a row. The constraint tells which addresses were known.
/// </summary>
internal sealed class SqliteNewcomers
{
    private const int RowsOfStatement = 50;

    private readonly SqliteWriter transaction;
    private readonly SqliteDomains domains;
    private readonly long now;

    // The highest id so far. Ids are never reused, and nobody else writes before the transaction ends.
    private long last;

    public SqliteNewcomers(SqliteWriter transaction, long now)
        => (this.transaction, this.now, domains, last) = (transaction, now, new SqliteDomains(transaction), transaction.Statement("LastSubscriber").Number() ?? 0);

    /// <summary>Inserts one whose address may be known.</summary>
    /// <returns>Its id; null when the address is known.</returns>
    public long? Add(SubscriberRow row)
    {
        List<long> added = [];
        AddAll(transaction.Statement("AddSubscriber"), [row], added, []);
        return added.Count == 0 ? null : added[0];
    }

    /// <summary>Inserts those whose addresses are new, of an address that stands there twice the first.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="added">Gets the ids of those that were inserted.</param>
    /// <param name="others">Gets the rows whose addresses are known.</param>
    public void Add(IReadOnlyList<SubscriberRow> rows, List<long> added, List<SubscriberRow> others)
    {
        foreach (var part in rows.Chunk(RowsOfStatement))
        {
            if (part.Length == RowsOfStatement) AddAll(transaction.Statement("AddSubscriber", RowsOfStatement), part, added, others);
            else foreach (var row in part) AddAll(transaction.Statement("AddSubscriber"), [row], added, others);
        }
    }

    private void AddAll(SqliteStatement insert, ReadOnlySpan<SubscriberRow> rows, List<long> added, List<SubscriberRow> others)
    {
        var parameter = 1;
        insert.Bind(parameter, now);
        foreach (var row in rows)
        {
            insert.Bind(++parameter, row.Address.Value).Bind(++parameter, domains.IdOf(row.Address.Domain))
                .Bind(++parameter, row.Name).Bind(++parameter, AttributesJson.Write(row.Attributes));
        }
        var before = last;
        var count = insert.Run();
        if (count == 0)
        {
            others.AddRange(rows);
            return;
        }
        last = transaction.LastId;
        if (count < rows.Length) Tell(rows, before, added, others);
        else for (var id = last - count + 1; id <= last; id++) added.Add(id);
    }

    // Some were known: what has an id above all there were is new.
    private void Tell(ReadOnlySpan<SubscriberRow> rows, long before, List<long> added, List<SubscriberRow> others)
    {
        var ids = new Dictionary<string, long>(StringComparer.Ordinal);
        using (var newest = transaction.Statement("SubscribersAfter").With("@id", before).Read())
            while (newest.Next()) ids[newest.Text(1)] = newest.Number(0);
        foreach (var row in rows)
        {
            if (ids.Remove(row.Address.Value, out var id)) added.Add(id);
            else others.Add(row);
        }
    }
}
