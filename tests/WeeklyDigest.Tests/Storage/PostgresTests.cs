namespace WeeklyDigest.Tests.Storage;

public sealed class PostgresLedgerTests : LedgerSuite<PostgresPlace>;

public sealed class PostgresDecisionTests : DecisionSuite<PostgresPlace>;

public sealed class PostgresMailingTests : MailingSuite<PostgresPlace>;

public sealed class PostgresRescheduleTests : RescheduleSuite<PostgresPlace>;

public sealed class PostgresStandingTests : StandingSuite<PostgresPlace>;

public sealed class PostgresRelayTests : RelaySuite<PostgresPlace>;

public sealed class PostgresSubscriberTests : SubscriberSuite<PostgresPlace>;

public sealed class PostgresTwoProcessesTests : TwoProcessesSuite<PostgresPlace>;

public sealed class PostgresDoubtTests : DoubtSuite<PostgresPlace>;

public sealed class PostgresRefusalTests : RefusalSuite<PostgresPlace>;

public sealed class PostgresRoomTests : RoomSuite<PostgresPlace>;

public sealed class PostgresScheduleTests : ScheduleSuite<PostgresPlace>;
