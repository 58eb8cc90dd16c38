using Dapper;

namespace WeeklyDigest.Storage.Postgres;

/// <summary>What nodes have to share so that who comes in at one is let in by all: the keys of cookies and forms, and the links that let in once.</summary>
/// <remarks>Both are rows of the table <c>secret</c>, beside the key of unsubscribe links: whoever reads that table can enter.</remarks>
public sealed class PostgresSignIns
{
    private readonly PostgresServer server;

    internal PostgresSignIns(PostgresServer server) => this.server = server;

    /// <summary>Every key there is, as XML.</summary>
    /// <exception cref="StorageException">The database cannot be used.</exception>
    public async Task<IReadOnlyList<string>> KeysAsync(CancellationToken cancel)
        => [.. await server.RunAsync(connection => connection.QueryAsync<string>(Queries.Get("SessionKeys")), cancel)];

    /// <summary>Adds a key; when this returns, every node can read it.</summary>
    /// <param name="name">Its name; a key of that name stays as it is.</param>
    /// <param name="content">The key, as XML.</param>
    /// <param name="cancel">Stops.</param>
    /// <exception cref="StorageException">The database cannot be used.</exception>
    public Task AddKeyAsync(string name, string content, CancellationToken cancel)
        => server.TransactAsync(connection => connection.ExecuteAsync(Queries.Get("AddSessionKey"), new { name, content }), cancel);

    /// <summary>Adds a link that lets in once.</summary>
    /// <param name="hash">A hash of what the link holds, which itself is kept nowhere.</param>
    /// <param name="lifetime">How long it is good.</param>
    /// <param name="cancel">Stops.</param>
    /// <exception cref="StorageException">The database cannot be used.</exception>
    public Task AddLinkAsync(string hash, TimeSpan lifetime, CancellationToken cancel) => server.TransactAsync(
        async connection =>
        {
            await connection.ExecuteAsync(Queries.Get("ForgetOldSignInLinks"));
            return await connection.ExecuteAsync(Queries.Get("AddSignInLink"), new { hash, lifetime = (long)lifetime.TotalMilliseconds });
        },
        cancel);

    /// <summary>Uses a link up.</summary>
    /// <returns>Whether it was good; never twice, at whichever nodes it is used at the same moment.</returns>
    /// <exception cref="StorageException">The database cannot be used; when it was the commit that failed, the link may be used up all the same.</exception>
    public Task<bool> UseLinkAsync(string hash, CancellationToken cancel)
        => server.TransactAsync(connection => connection.ExecuteScalarAsync<bool>(Queries.Get("UseSignInLink"), new { hash }), cancel);
}
