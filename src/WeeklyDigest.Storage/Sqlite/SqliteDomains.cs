namespace WeeklyDigest.Storage.Sqlite;

/// <summary>The keys of receiving domains, inside one transaction; those met last are remembered, for a list has few beside very many addresses.</summary>
internal sealed class SqliteDomains(SqliteWriter transaction)
{
    private const int MaxRemembered = 50_000;

    private readonly Dictionary<string, long> remembered = new(StringComparer.Ordinal);

    /// <summary>The key of a domain, made on first use.</summary>
    public long IdOf(string domain)
    {
        if (remembered.TryGetValue(domain, out var known)) return known;
        if (remembered.Count >= MaxRemembered) remembered.Clear();
        return remembered[domain] = Find(domain) ?? Add(domain);
    }

    private long Add(string domain)
    {
        transaction.Statement("AddDomain").With("@domain", domain).Run();
        return Find(domain)!.Value;
    }

    private long? Find(string domain) => transaction.Statement("DomainId").With("@domain", domain).Number();
}
