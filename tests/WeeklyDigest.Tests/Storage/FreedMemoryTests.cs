using System.Globalization;
using System.Runtime.InteropServices;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Tests.Storage;

/// <summary>What native code freed is the system's again, also beneath a block that is still in use.</summary>
public sealed class FreedMemoryTests
{
    private const int Block = 4096;
    private const int Blocks = 50_000;

    [Fact]
    public void Goes_back_to_the_system()
    {
        var blocks = new nint[Blocks];
        for (var i = 0; i < Blocks; i++)
        {
            blocks[i] = Marshal.AllocHGlobal(Block);
            Marshal.WriteByte(blocks[i], 1);
        }
        for (var i = 0; i < Blocks - 1; i++) Marshal.FreeHGlobal(blocks[i]);
        var before = Resident();

        FreedMemory.GiveBack();

        var after = Resident();
        Marshal.FreeHGlobal(blocks[^1]);
        // Other tests of this process take and free as well.
        Assert.True(before - after > Blocks / 2 * Block / 1024, $"{before} KB before, {after} KB after");
    }

    private static long Resident()
    {
        var line = File.ReadLines("/proc/self/status").Single(line => line.StartsWith("RssAnon:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture);
    }
}
