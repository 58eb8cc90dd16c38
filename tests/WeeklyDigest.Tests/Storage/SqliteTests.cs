namespace WeeklyDigest.Tests.Storage;

public sealed class SqliteLedgerTests : LedgerSuite<SqlitePlace>;

public sealed class SqliteLapsedLeaseTests : LapsedLeaseSuite<SqlitePlace>;

public sealed class SqliteLongWaitTests : LongWaitSuite<SqlitePlace>;

public sealed class SqliteMarkTests : MarkSuite<SqlitePlace>;

public sealed class SqliteDecisionTests : DecisionSuite<SqlitePlace>;

public sealed class SqliteMailingTests : MailingSuite<SqlitePlace>;

public sealed class SqliteSentAgainTests : SentAgainSuite<SqlitePlace>;

public sealed class SqliteRescheduleTests : RescheduleSuite<SqlitePlace>;

public sealed class SqliteStandingTests : StandingSuite<SqlitePlace>;

public sealed class SqliteRelayTests : RelaySuite<SqlitePlace>;

public sealed class SqliteMigrationTests : MigrationSuite<SqlitePlace>;

public sealed class SqliteSubscriberTests : SubscriberSuite<SqlitePlace>;

public sealed class SqliteTwoProcessesTests : TwoProcessesSuite<SqlitePlace>;

public sealed class SqliteDoubtTests : DoubtSuite<SqlitePlace>;

public sealed class SqliteRefusalTests : RefusalSuite<SqlitePlace>;

public sealed class SqliteRoomTests : RoomSuite<SqlitePlace>;

public sealed class SqliteScheduleTests : ScheduleSuite<SqlitePlace>;
