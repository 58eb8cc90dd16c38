using System.Runtime.CompilerServices;
using WeeklyDigest.Tests.Smtp.Postfix;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>A wall clock for the programs of one workspace, which can be moved while they run. Their monotonic clock stays.</summary>
internal sealed class MovedClock
{
    private readonly string file;

    private MovedClock(string file) => this.file = file;

    /// <summary>Compiles it and puts it between the system and what the workspace starts from here on.</summary>
    public static async Task<MovedClock> OfAsync(Workspace workspace)
    {
        var library = workspace.PathOf("clock.so");
        await Command.RunAsync("gcc", ["-shared", "-fPIC", "-O2", "-o", library, Source()]);
        var clock = new MovedClock(workspace.PathOf("clock"));
        clock.Move(TimeSpan.Zero);
        workspace.Environment["LD_PRELOAD"] = library;
        workspace.Environment["MOVED_CLOCK"] = clock.file;
        return clock;
    }

    /// <summary>Sets it to so much from the system's clock, for programs that run and programs to come.</summary>
    public void Move(TimeSpan by)
    {
        // In place: the programs have the file mapped.
        using var stream = new FileStream(file, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite);
        stream.Write(BitConverter.GetBytes((long)by.TotalSeconds));
    }

    /// <summary>Sets it to a time, from which it goes on.</summary>
    public void MoveTo(DateTimeOffset moment) => Move(moment - TimeProvider.System.GetUtcNow());

    private static string Source([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "clock.c");
}
