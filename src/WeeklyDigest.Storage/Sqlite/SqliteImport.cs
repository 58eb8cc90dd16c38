using System.Text.Encodings.Web;
using System.Text.Json;
using WeeklyDigest.Audience;

namespace WeeklyDigest.Storage.Sqlite;

/// <summary>Brings subscribers into a list, inside one transaction: a file is imported whole or not at all.</summary>
internal sealed class SqliteImport
{
    private const int PortionSize = 500;

    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly HashSet<string> None = [];

    private readonly SqliteWriter transaction;
    private readonly long now;
    private readonly long list;
    private readonly bool anySuppressed;

    // Which ids this import has met: a bit each, so that ten million rows cost a megabyte. Addresses without an id are those that are
    // suppressed and never subscribed; there are few.
    private readonly IdSet met = new();
    private readonly HashSet<string> metWithoutId = [];
    private readonly List<long> members = [];
    private readonly SqliteNewcomers newcomers;

    // A file has mostly new addresses, or mostly known ones: the portion before tells which to expect.
    private bool expectsNew = true;

    /// <summary>Finds the list, or creates it.</summary>
    public SqliteImport(SqliteWriter transaction, ListName name, long now)
    {
        (this.transaction, this.now, newcomers) = (transaction, now, new SqliteNewcomers(transaction, now));
        transaction.Statement("AddList").With("@list", name.Value).With("@now", now).Run();
        list = transaction.Statement("ListId").With("@list", name.Value).Number()!.Value;
        anySuppressed = transaction.Statement("AnySuppressed").Any();
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

    // New addresses are inserted without a question: the constraint tells which were none. What is known of those is asked in one query, and the
    // portion's new members are added in one: a question for each row would take as long as the insert itself.
    private void Add(SubscriberRow[] portion, long[] counts)
    {
        var suppressed = anySuppressed ? Suppressed(AddressesOf(portion)) : None;
        IReadOnlyList<SubscriberRow> others = expectsNew ? Insert(portion, suppressed) : portion;
        var known = others.Count > 0 ? Known(AddressesOf(others)) : [];
        var before = counts[(int)AddOutcome.Added];
        counts[(int)AddOutcome.Added] += portion.Length - others.Count;
        foreach (var row in others) counts[(int)AddOther(row, known, suppressed)]++;
        expectsNew = (counts[(int)AddOutcome.Added] - before) * 2 > portion.Length;
        AddMembers();
    }

    // The rows that were not inserted: their addresses are known, or suppressed.
    private List<SubscriberRow> Insert(SubscriberRow[] portion, HashSet<string> suppressed)
    {
        List<SubscriberRow> others = [.. portion.Where(row => suppressed.Contains(row.Address.Value))];
        newcomers.Add(others.Count == 0 ? portion : [.. portion.Where(row => !suppressed.Contains(row.Address.Value))], members, others);
        foreach (var id in members) met.Add(id);
        return others;
    }

    private AddOutcome AddOther(SubscriberRow row, Dictionary<string, Stored> known, HashSet<string> suppressed)
    {
        var isSuppressed = suppressed.Contains(row.Address.Value);
        if (known.TryGetValue(row.Address.Value, out var subscriber)) return Update(subscriber, row, isSuppressed);
        if (isSuppressed) return metWithoutId.Add(row.Address.Value) ? AddOutcome.KeptOut : AddOutcome.Unchanged;
        // Not new: its first row stood earlier in this portion.
        return Insert(row) ? AddOutcome.Added : AddOutcome.Unchanged;
    }

    private bool Insert(SubscriberRow row)
    {
        if (newcomers.Add(row) is not { } id) return false;
        met.Add(id);
        members.Add(id);
        return true;
    }

    private void AddMembers()
    {
        if (members.Count == 0) return;
        transaction.Statement("AddMembers").With("@list", list).With("@subscribers", JsonSerializer.Serialize(members)).Run();
        members.Clear();
    }

    private static string AddressesOf(IReadOnlyList<SubscriberRow> rows) => JsonSerializer.Serialize(rows.Select(row => row.Address.Value), Json);

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
