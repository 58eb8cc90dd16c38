using System.Text.Encodings.Web;
using System.Text.Json;
using WeeklyDigest.Audience;

namespace WeeklyDigest.Storage.Sqlite;

/// <summary>Brings subscribers into a list, inside one transaction: a file is imported whole or not at all.</summary>
internal sealed class SqliteImport
{
    private const int PortionSize = 500;

    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly SqliteWriter transaction;
    private readonly long now;
    private readonly long list;

    // Which ids this import has met: a bit each, so that ten million rows cost a megabyte. Addresses without an id are those that are
    // suppressed and never subscribed; there are few.
    private readonly IdSet met = new();
    private readonly HashSet<string> metWithoutId = [];
    private readonly List<long> members = [];
    private readonly SqliteDomains domains;

    /// <summary>Finds the list, or creates it.</summary>
    public SqliteImport(SqliteWriter transaction, ListName name, long now)
    {
        (this.transaction, this.now, domains) = (transaction, now, new SqliteDomains(transaction));
        transaction.Statement("AddList").With("@list", name.Value).With("@now", now).Run();
        list = transaction.Statement("ListId").With("@list", name.Value).Number()!.Value;
    }

    /// <summary>Adds all rows; of an address that stands there twice, the first row counts.</summary>
    public ImportCounts Run(IEnumerable<SubscriberRow> rows, CancellationToken cancel)
    {
        var counts = new long[4];
        foreach (var portion in rows.Chunk(PortionSize))
        {
            cancel.ThrowIfCancellationRequested();
            Add(portion, counts);
        }
        return new ImportCounts(
            counts[(int)AddOutcome.Added], counts[(int)AddOutcome.Updated], counts[(int)AddOutcome.Unchanged], counts[(int)AddOutcome.KeptOut]);
    }

    // What is known of a portion is asked in one query, and its new members are added in one: a question for each row would take as
    // long as the insert itself.
    private void Add(SubscriberRow[] portion, long[] counts)
    {
        var addresses = JsonSerializer.Serialize(portion.Select(row => row.Address.Value), Json);
        var known = Known(addresses);
        var suppressed = Suppressed(addresses);
        foreach (var row in portion)
        {
            var address = row.Address.Value;
            var outcome = known.TryGetValue(address, out var subscriber) ? Update(subscriber, row, suppressed.Contains(address))
                : suppressed.Contains(address) ? (metWithoutId.Add(address) ? AddOutcome.KeptOut : AddOutcome.Unchanged)
                : Insert(row, known);
            counts[(int)outcome]++;
        }
        if (members.Count == 0) return;
        transaction.Statement("AddMembers").With("@list", list).With("@subscribers", JsonSerializer.Serialize(members)).Run();
        members.Clear();
    }

    private AddOutcome Insert(SubscriberRow row, Dictionary<string, Stored> known)
    {
        var attributes = AttributesJson.Write(row.Attributes);
        var id = transaction.Statement("AddSubscriber")
            .With("@address", row.Address.Value).With("@domain", domains.IdOf(row.Address.Domain)).With("@name", row.Name).With("@attributes", attributes).With("@now", now)
            .RunForId();
        met.Add(id);
        members.Add(id);
        known.Add(row.Address.Value, new Stored(id, row.Name, attributes, IsActive: true, IsMember: true));
        return AddOutcome.Added;
    }

    private AddOutcome Update(Stored known, SubscriberRow row, bool isSuppressed)
    {
        if (!met.Add(known.Id)) return AddOutcome.Unchanged;
        // Never by import: who left comes back by signing up anew, and in no other way.
        if (!known.IsActive || isSuppressed) return AddOutcome.KeptOut;
        var merged = AttributesJson.Merge(known.Attributes, row.Attributes);
        var isOther = (row.Name is not null && row.Name != known.Name) || merged != known.Attributes;
        if (isOther)
        {
            transaction.Statement("ChangeSubscriber")
                .With("@subscriber", known.Id).With("@name", row.Name ?? known.Name).With("@attributes", merged).With("@now", now).Run();
        }
        if (!known.IsMember) members.Add(known.Id);
        return isOther || !known.IsMember ? AddOutcome.Updated : AddOutcome.Unchanged;
    }

    private Dictionary<string, Stored> Known(string addresses)
    {
        using var rows = transaction.Statement("KnownSubscribers").With("@addresses", addresses).With("@list", list).Read();
        var known = new Dictionary<string, Stored>(StringComparer.Ordinal);
        while (rows.Next())
            known[rows.Text(1)] = new Stored(rows.Number(0), rows.TextOrNull(2), rows.Text(3), rows.Text(4) == "active", rows.Number(5) == 1);
        return known;
    }

    private HashSet<string> Suppressed(string addresses)
    {
        using var rows = transaction.Statement("SuppressedAmong").With("@addresses", addresses).Read();
        var suppressed = new HashSet<string>(StringComparer.Ordinal);
        while (rows.Next()) suppressed.Add(rows.Text(0));
        return suppressed;
    }

    private sealed record Stored(long Id, string? Name, string Attributes, bool IsActive, bool IsMember);
}
