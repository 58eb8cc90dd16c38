using System.Globalization;
using System.Text.RegularExpressions;
using Hangfire;
using Hangfire.PostgreSql;
using Hangfire.PostgreSql.Factories;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Server.Jobs;

/// <summary>Hangfire's jobs on the same server as the ledger, in a schema of Hangfire's own.</summary>
internal static partial class PostgresJobs
{
    /// <summary>Where the jobs' tables are.</summary>
    public const string Schema = "hangfire";

    /// <summary>
    /// How long a job is still its worker's without a sign of life; a worker that lives gives one five times in that time. A job that two have for a
    /// moment does no harm, one that nobody has does: a time of the schedule waits for it.
    /// </summary>
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);

    // Held for moments; but whether one was held for so long is told by the clocks of two nodes, not by the server's.
    private static readonly TimeSpan LockLease = TimeSpan.FromMinutes(1);

    // Between nodes; within one, who waits for a job is woken at once.
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(2);

    /// <summary>Its tables, in the version that the library brings them to: that of its last script.</summary>
    internal static JobTables Tables { get; } = new(
        Schema,
        typeof(PostgreSqlStorage).Assembly.GetManifestResourceNames().Select(name => Script().Match(name)).Where(script => script.Success).Max(script => int.Parse(script.Groups[1].Value, CultureInfo.InvariantCulture)),
        ["aggregatedcounter", "counter", "hash", "job", "jobparameter", "jobqueue", "list", "lock", "server", "set", "state"]);

    /// <summary>Opens the storage, creating or upgrading its tables.</summary>
    /// <param name="database">The ledger's database.</param>
    /// <param name="connectionString">What leads there.</param>
    /// <param name="history">How long a finished job is kept.</param>
    /// <exception cref="StorageException">They cannot be had, are broken, or are newer than the library; nothing is started without them.</exception>
    public static JobStorage Open(Database database, string connectionString, TimeSpan history) => database.Alone(() =>
    {
        // The library looks only for what it lacks by its version. With tables that are newer it would start, and fail at whichever job needs what has changed; so with
        // a table or sequence that is gone, and without that of the locks it waits for ever.
        database.RequireJobs(Tables);
        var storage = database.UseJobs(Schema, () => Open(connectionString, history));
        // What was older has its version only now.
        database.RequireJobs(Tables);
        return storage;
    });

    private static PostgreSqlStorage Open(string connectionString, TimeSpan history)
    {
        var options = new PostgreSqlStorageOptions
        {
            SchemaName = Schema,
            PrepareSchemaIfNecessary = true,
            // By default it would start without its database and lose what is enqueued.
            AllowDegradedModeWithoutStorage = false,
            StartupConnectionMaxRetries = 0,
            UseSlidingInvisibilityTimeout = true,
            InvisibilityTimeout = Lease,
            // A lock whose holder was killed is free after that time.
            DistributedLockTimeout = LockLease,
            QueuePollInterval = PollInterval,
        };
        return new PostgreSqlStorage(new NpgsqlConnectionFactory(StorageOptions.KeepingCommits(connectionString), options), options) { JobExpirationTimeout = history };
    }

    [GeneratedRegex(@"\.Install\.v([0-9]+)\.sql$")]
    private static partial Regex Script();
}
