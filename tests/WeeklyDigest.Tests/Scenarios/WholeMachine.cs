namespace WeeklyDigest.Tests.Scenarios;

/// <summary>
/// Tests that start so many processes that the clocks of others beside them would run out, or whose own bound leaves them less than a second. They run
/// after all others, one by one, so whoever merely waits does not belong here.
/// </summary>
[CollectionDefinition(nameof(WholeMachine), DisableParallelization = true)]
public sealed class WholeMachine;
