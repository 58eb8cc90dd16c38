using System.CommandLine;
using WeeklyDigest.Benchmarks;
using WeeklyDigest.Benchmarks.Jobs;
using WeeklyDigest.Benchmarks.Nodes;
using WeeklyDigest.Benchmarks.Sinks;

// Benchmarks of the built program beside the tools it is judged by. Needs a machine with nothing else to do.
var root = new RootCommand("Measures WeeklyDigest.")
{
    SendBenchmark.Create(),
    StorageBenchmarks.Import(),
    StorageBenchmarks.Publish(),
    MemoryBenchmark.Create(),
    MicroCommand.Create(),
    JobsBenchmark.Create(),
    NodesBenchmark.Create(),
    SinkCommand.Create(),
};
return await root.Parse(args).InvokeAsync();
