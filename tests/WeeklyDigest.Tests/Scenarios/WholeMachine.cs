namespace WeeklyDigest.Tests.Scenarios;

/// <summary>Tests that start so many processes that the clocks of others beside them would run out. They run after all others, one by one.</summary>
[CollectionDefinition(nameof(WholeMachine), DisableParallelization = true)]
public sealed class WholeMachine;
