using Microsoft.Extensions.Time.Testing;
using WeeklyDigest.Storage;
using WeeklyDigest.Tests.Databases;

[assembly: AssemblyFixture(typeof(SharedPostgres))]

namespace WeeklyDigest.Tests.Databases;

/// <summary>The PostgreSQL that all tests share: started when the first one asks, stopped when the run ends, however it ends.</summary>
public sealed class SharedPostgres : IDisposable
{
    private const string Template = "template_weeklydigest";

    private static readonly Lazy<PrivatePostgres> Started = new(() =>
    {
        var server = new PrivatePostgres();
        server.Execute($"CREATE DATABASE {Template}");
        Database.Open(Options(server.ConnectionString(Template) + ";Pooling=false"), new FakeTimeProvider()).Dispose();
        return server;
    });

    /// <summary>The server.</summary>
    internal static PrivatePostgres Server => Started.Value;

    /// <summary>A new database with our schema.</summary>
    /// <returns>The connection string.</returns>
    internal static string NewDatabase() => Server.CreateDatabase(Template);

    /// <summary>The settings that lead to a database.</summary>
    internal static StorageOptions Options(string connectionString) => new() { Provider = "postgres", ConnectionString = connectionString };

    public void Dispose()
    {
        if (Started.IsValueCreated) Started.Value.Dispose();
    }
}
