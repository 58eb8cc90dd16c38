using Microsoft.Extensions.Time.Testing;
using WeeklyDigest.Server.Jobs;
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

    private static readonly Lazy<string> WithJobs = new(() =>
    {
        const string Name = "template_hangfire";
        Server.Execute($"CREATE DATABASE {Name} TEMPLATE {Template}");
        var connection = Server.ConnectionString(Name) + ";Pooling=false";
        using var database = Database.Open(Options(connection), new FakeTimeProvider());
        PostgresJobs.Open(database, connection, TimeSpan.FromDays(1));
        return Name;
    });

    /// <summary>The server.</summary>
    internal static PrivatePostgres Server => Started.Value;

    /// <summary>A new database with our schema.</summary>
    /// <returns>The connection string.</returns>
    internal static string NewDatabase() => Server.CreateDatabase(Template);

    /// <summary>A new database with our schema and Hangfire's.</summary>
    /// <returns>The connection string.</returns>
    internal static string NewJobDatabase() => Server.CreateDatabase(WithJobs.Value);

    /// <summary>The settings that lead to a database.</summary>
    internal static StorageOptions Options(string connectionString) => new() { Provider = "postgres", ConnectionString = connectionString };

    public void Dispose()
    {
        if (Started.IsValueCreated) Started.Value.Dispose();
    }
}
