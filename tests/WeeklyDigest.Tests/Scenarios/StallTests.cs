using System.Globalization;
using System.Text;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>
/// Some recipients' answers take a minute, and a whole domain dribbles: that is theirs to wait for, and nobody else's. In the ordinary run they do
/// not answer at all before the others are served, and there are more of them than connections; WEEKLYDIGEST_SCALE=full sends to 10,000, and to 20,000 as fast as the relay
/// can, and takes the times.
/// </summary>
public sealed class StallTests
{
    private const int Connections = 16;
    private const double MostTimes = 1.25;
    private const int WarmUp = 500;
    private static readonly int Recipients = Scale.Of(400, 10_000);
    private static readonly int OneIn = Scale.Of(20, 100);

    /// <summary>What a relay takes for each message, so that connections count and not this machine's speed.</summary>
    private static readonly int Usual = Scale.Of(20, 100);

    private static readonly TimeSpan Dribble = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Stall = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(Scale.Of(5, 15));

    [Fact]
    public Task Some_stall_and_a_domain_dribbles_at_the_recipient() => OthersGoOnAsync(SmtpStage.RcptTo, Recipients, After(Usual));

    [Fact]
    public Task Some_stall_and_a_domain_dribbles_at_the_dot() => OthersGoOnAsync(SmtpStage.Message, Recipients, After(Usual));

    [Fact]
    public Task Of_a_relay_that_is_fast_otherwise_far_more_stall_than_there_are_connections() => OthersGoOnAsync(SmtpStage.Message, Recipients * Scale.Of(1, 2), () => SmtpMove.Accept);

    private static async Task OthersGoOnAsync(SmtpStage stage, int recipients, Func<SmtpMove> usual)
    {
        // The first mailing meets a cold test server, and the machine's speed changes: the undisturbed one is timed before the other and after it.
        if (Scale.IsFull) await UndisturbedAsync(WarmUp);
        var before = Scale.IsFull ? await UndisturbedAsync(recipients) : TimeSpan.Zero;
        var disturbed = await OthersTakeAsync(recipients, (moment, served) => moment.Stage != stage ? SmtpMove.Accept
            : !IsStalled(moment.Recipient) && !IsDribbling(moment.Recipient) ? usual()
            : !Scale.IsFull ? SmtpMove.Hold(served, SmtpMove.Accept)
            : After(IsStalled(moment.Recipient) ? Stall : Dribble)());
        if (!Scale.IsFull) return;
        var undisturbed = (before + await UndisturbedAsync(recipients)) / 2;
        TestContext.Current.TestOutputHelper!.WriteLine($"{recipients} recipients, {stage}: undisturbed {undisturbed.TotalSeconds:f2} s, disturbed {disturbed.TotalSeconds:f2} s, ratio {disturbed / undisturbed:f2}");
        Assert.InRange(disturbed / undisturbed, 0, MostTimes);

        Task<TimeSpan> UndisturbedAsync(int count) => OthersTakeAsync(count, (moment, _) => moment.Stage == stage ? usual() : SmtpMove.Accept);
    }

    /// <summary>From the first message to the last accepted one of the others.</summary>
    private static async Task<TimeSpan> OthersTakeAsync(int recipients, Func<SmtpMoment, Task, SmtpMove> script)
    {
        var time = TimeProvider.System;
        var (first, left) = (0L, Enumerable.Range(1, recipients).Select(Address).Count(address => !IsStalled(address) && !IsDribbling(address)));
        var served = new TaskCompletionSource<long>();
        await using var relay = ScriptedSmtpServer.Start(moment =>
        {
            if (moment.Stage == SmtpStage.RcptTo) Interlocked.CompareExchange(ref first, time.GetTimestamp(), 0);
            if (moment.Stage == SmtpStage.Message && !IsStalled(moment.Recipient) && !IsDribbling(moment.Recipient) && Interlocked.Decrement(ref left) == 0) served.SetResult(time.GetTimestamp());
            return script(moment, served.Task);
        });
        using var workspace = new Workspace().WithWeek1().UseRelay(relay.Port, Connections);
        workspace.Write("subscribers/all.csv", List(recipients));
        using var send = workspace.Start("send", "week-1");
        await relay.WaitForAsync(_ => served.Task.IsCompleted, Limit, "everybody else was served");
        Assert.Equal(0, (await send.EndAsync(Limit)).ExitCode);
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.Equal(recipients, accounts["sent"]);
        return time.GetElapsedTime(first, await served.Task);
    }

    private static Func<SmtpMove> After(int milliseconds) => After(TimeSpan.FromMilliseconds(milliseconds));

    private static Func<SmtpMove> After(TimeSpan time) => () => SmtpMove.Hold(Task.Delay(time, TimeProvider.System), SmtpMove.Accept);

    private static string List(int recipients)
    {
        var csv = new StringBuilder("email\n");
        for (var i = 1; i <= recipients; i++) csv.Append(Address(i)).Append('\n');
        return csv.ToString();
    }

    /// <summary>Twenty domains of a size; the last one dribbles.</summary>
    private static string Address(int number) => FormattableString.Invariant($"r{number}@domain{number % 20}.example");

    private static bool IsStalled(string address) => int.Parse(address.AsSpan(1, address.IndexOf('@', StringComparison.Ordinal) - 1), CultureInfo.InvariantCulture) % OneIn == OneIn / 2;

    private static bool IsDribbling(string address) => address.EndsWith("@domain19.example", StringComparison.Ordinal);
}
