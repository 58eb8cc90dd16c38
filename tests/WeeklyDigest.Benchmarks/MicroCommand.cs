using System.CommandLine;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace WeeklyDigest.Benchmarks;

/// <summary>Runs the micro benchmarks within this process: a project generated for them would not know the repository's build.</summary>
internal static class MicroCommand
{
    public static Command Create()
    {
        var command = new Command("micro", "Parsing, rendering, composing, signing, one by one.");
        command.SetAction(_ => BenchmarkRunner.Run<MicroBenchmarks>(
            DefaultConfig.Instance.AddJob(Job.Default.WithToolchain(InProcessEmitToolchain.Instance)).WithArtifactsPath(Path.Combine(Path.GetTempPath(), "weeklydigest-micro"))));
        return command;
    }
}
