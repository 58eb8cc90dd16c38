namespace WeeklyDigest.Tests.JobStorage;

public sealed class SqliteJobTests : JobSuite<SqliteJobPlace>;

public sealed class SqliteQueueTests : QueueSuite<SqliteJobPlace>;

public sealed class SqliteLockTests : LockSuite<SqliteJobPlace>;

public sealed class SqliteCollectionTests : CollectionSuite<SqliteJobPlace>;

public sealed class SqliteMonitoringTests : MonitoringSuite<SqliteJobPlace>;

public sealed class SqliteServerTests : ServerSuite<SqliteJobPlace>;

public sealed class InMemoryJobTests : JobSuite<InMemoryJobPlace>;

public sealed class InMemoryQueueTests : QueueSuite<InMemoryJobPlace>
{
    private protected override bool KeepsFetchedEntries => false;

    private protected override bool FinishesInTransaction => false;
}

public sealed class InMemoryLockTests : LockSuite<InMemoryJobPlace>;

public sealed class InMemoryCollectionTests : CollectionSuite<InMemoryJobPlace>;

public sealed class InMemoryMonitoringTests : MonitoringSuite<InMemoryJobPlace>
{
    private protected override bool ShowsFetchedEntries => false;
}

public sealed class InMemoryServerTests : ServerSuite<InMemoryJobPlace>;

public sealed class PostgresJobTests : JobSuite<PostgresJobPlace>;

public sealed class PostgresQueueTests : QueueSuite<PostgresJobPlace>
{
    private protected override bool FinishesInTransaction => false;
}

public sealed class PostgresLockTests : LockSuite<PostgresJobPlace>;

public sealed class PostgresCollectionTests : CollectionSuite<PostgresJobPlace>;

public sealed class PostgresMonitoringTests : MonitoringSuite<PostgresJobPlace>;

public sealed class PostgresServerTests : ServerSuite<PostgresJobPlace>;
