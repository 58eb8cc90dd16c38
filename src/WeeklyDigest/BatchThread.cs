using System.Runtime.InteropServices;

namespace WeeklyDigest;

/// <summary>
/// Tells Linux that the calling thread is one of many that work through something (SCHED_BATCH, sched(7)): woken, it waits for its turn instead of
/// taking the processor from who woke it. The writer of the ledger wakes ten connections at once and is to begin the next commit after that, not
/// after their work: a fifth more is sent (docs/benchmarks.md). Elsewhere, and where it is refused, nothing changes.
/// </summary>
internal static class BatchThread
{
    private const int SchedBatch = 3;

    /// <summary>Makes the calling thread one.</summary>
    public static void Become()
    {
        if (OperatingSystem.IsLinux()) _ = SetScheduler(0, SchedBatch, new Parameters(Priority: 0));
    }

    [DllImport("libc", EntryPoint = "sched_setscheduler")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetScheduler(int thread, int policy, in Parameters parameters);

    /// <summary>struct sched_param: the priority, which only real-time threads have.</summary>
    private readonly record struct Parameters(int Priority);
}
