using System.Diagnostics;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>
/// Everybody is told "later": nobody is asked more often than the schedule says, memory stays flat, and nothing spins meanwhile. In the ordinary
/// run 300 recipients are watched while they wait; WEEKLYDIGEST_SCALE=full asks 100,000 every two minutes for ten.
/// </summary>
public sealed class LaterTests
{
    private static readonly int Recipients = Scale.IsFull ? 100_000 : 300;
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Watched = Scale.IsFull ? TimeSpan.FromMinutes(10) : TimeSpan.FromSeconds(6);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task A_long_time_of_later_costs_attempts_by_the_schedule_and_nothing_else()
    {
        var asked = 0;
        await using var relay = ScriptedSmtpServer.Start(moment =>
        {
            if (moment.Stage != SmtpStage.RcptTo) return SmtpMove.Accept;
            Interlocked.Increment(ref asked);
            return SmtpMove.Reply("451 4.3.0 Try again later");
        });
        using var workspace = new Workspace().WithWeek1().WithSubscribers(Recipients).UseRelay(relay.Port)
            .Set("Delivery:FirstRetryAfter", RetryAfter).Set("Delivery:RetryFactor", 1).Set("Delivery:MaxRetryDelay", RetryAfter);
        using var send = workspace.Start("send", "week-1", "--wait");
        using var process = Process.GetProcessById(send.Id);
        await Eventually.HoldsAsync(() => Volatile.Read(ref asked) >= Recipients, "everybody was asked once", Limit);

        var (before, began) = (Look(process), TimeProvider.System.GetTimestamp());
        await Eventually.HoldsAsync(() => TimeProvider.System.GetElapsedTime(began) > Watched, "the time to watch is over", 2 * Watched);
        var (after, lasted) = (Look(process), TimeProvider.System.GetElapsedTime(began));
        var (again, working) = (Volatile.Read(ref asked) - Recipients, after.Worked - before.Worked);
        TestContext.Current.TestOutputHelper!.WriteLine($"{Recipients} recipients asked again {again} times in {lasted}; {working.TotalSeconds:f1} s of processor; {before.Memory >> 20} MB, then {after.Memory >> 20} MB");

        // A wait is never shorter than the first one.
        Assert.InRange(again, 0, Recipients * (int)(lasted / RetryAfter + 1));
        // What attempts cost, and a little for everything else: a loop without a pause takes a whole processor.
        Assert.InRange(working.TotalSeconds, 0, (again * 0.004) + (0.2 * lasted.TotalSeconds) + 1.5);
        Assert.InRange(after.Memory - before.Memory, long.MinValue, 40L << 20);

        send.Terminate();
        await send.EndAsync(Limit);
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.Equal((0, asked), (accounts["sent"], accounts.Rows.Sum(row => row.Attempts)));
        if (!Scale.IsFull) Assert.Equal(Recipients, accounts["deferred"]);
    }

    private static (TimeSpan Worked, long Memory) Look(Process process)
    {
        process.Refresh();
        return (process.TotalProcessorTime, process.WorkingSet64);
    }
}
