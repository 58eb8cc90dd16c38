using WeeklyDigest.Storage;
using WeeklyDigest.Tests.Databases;

namespace WeeklyDigest.Tests.Storage;

/// <summary>A database of its own on the shared PostgreSQL.</summary>
public sealed class PostgresPlace : IDatabasePlace
{
    public StorageOptions Options { get; } = SharedPostgres.Options(SharedPostgres.NewDatabase());

    public void Dispose() => SharedPostgres.Server.Drop(Options.ConnectionString);
}
