using WeeklyDigest.Publishing;
using WeeklyDigest.Smtp;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Publishing;

public sealed class SessionPoolTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private readonly ManualClock clock = new(new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_more_are_lent_than_the_relays_allow_and_who_waits_is_served_in_turn()
    {
        await using var pool = new SessionPool([Relay("one", 2), Relay("two", 1)], new MemoryRelayStore(clock), clock);
        Assert.Equal(3, pool.Connections);
        var lent = new List<PooledSession>();
        for (var i = 0; i < 3; i++) lent.Add(await pool.RentAsync(Cancel));
        Assert.Equal(2, lent.Select(session => session.Relay).Distinct().Count());

        var waiting = Enumerable.Range(0, 3).Select(_ => pool.RentAsync(Cancel)).ToList();
        Assert.True(pool.HasWaiters);
        for (var i = 0; i < 3; i++)
        {
            Assert.All(waiting.Skip(i), wait => Assert.False(wait.IsCompleted));
            pool.Return(lent[i]);
            await waiting[i].WaitAsync(Limit, Cancel);
        }
        Assert.False(pool.HasWaiters);
    }

    [Fact]
    public async Task Who_gives_up_waiting_takes_nobodys_place()
    {
        await using var pool = new SessionPool([Relay("one", 1)], new MemoryRelayStore(clock), clock);
        var lent = await pool.RentAsync(Cancel);
        using var giveUp = new CancellationTokenSource();
        var impatient = pool.RentAsync(giveUp.Token);
        var patient = pool.RentAsync(Cancel);
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient.WaitAsync(Limit, Cancel));
        pool.Return(lent);
        Assert.Same(lent, await patient.WaitAsync(Limit, Cancel));
    }

    [Fact]
    public async Task A_relay_that_goes_on_failing_is_told_once_and_told_when_it_answers_again()
    {
        List<string> told = [];
        await using var pool = new SessionPool([Relay("one", 4)], new MemoryRelayStore(clock), clock, told.Add);
        var relay = pool.Relays[0];
        for (var i = 0; i < 5; i++)
        {
            relay.Failed("connection refused.");
            clock.Advance(TimeSpan.FromMinutes(1));
            Assert.Equal(i < 2 ? [] : ["connection refused."], told);
            Assert.Equal(i < 2 ? null : "connection refused.", relay.Down);
        }
        relay.Answered();
        Assert.Equal(["connection refused.", "Relay 'one' answers again."], told);
        Assert.Null(relay.Down);
    }

    [Fact]
    public async Task A_relay_that_comes_and_goes_is_told_once_a_minute_at_most()
    {
        List<string> told = [];
        await using var pool = new SessionPool([Relay("one", 4)], new MemoryRelayStore(clock), clock, told.Add);
        for (var i = 0; i < 6; i++)
        {
            for (var failures = 0; failures < 3; failures++)
            {
                pool.Relays[0].Failed("connection refused.");
                clock.Advance(TimeSpan.FromSeconds(5));
            }
            pool.Relays[0].Answered();
        }
        // In 90 seconds.
        Assert.Equal(2, told.Count(line => line == "connection refused."));
    }

    [Fact]
    public async Task A_relay_that_fails_rests_for_growing_pauses_and_is_tried_over_one_connection()
    {
        await using var pool = new SessionPool([Relay("one", 4)], new MemoryRelayStore(clock), clock);
        var session = await pool.RentAsync(Cancel);
        var expected = new[] { 1, 2, 4, 8, 16, 32, 60, 60 };
        foreach (var seconds in expected)
        {
            session.Relay.Failed("connection refused.");
            session.Relay.Failed("connection refused, told by another.");
            pool.Return(session);
            Assert.Equal(0, pool.Capacity);
            Assert.StartsWith("connection refused. Next try: 08:", pool.Notice, StringComparison.Ordinal);
            var next = pool.RentAsync(Cancel);
            clock.Advance(TimeSpan.FromSeconds(seconds) - TimeSpan.FromMilliseconds(1));
            Assert.False(next.IsCompleted);
            clock.Advance(TimeSpan.FromMilliseconds(1));
            session = await next.WaitAsync(Limit, Cancel);
            Assert.Equal(1, pool.Capacity);
            await NobodyElseGetsOneAsync(pool);
        }

        session.Relay.Answered();
        Assert.Equal(4, pool.Capacity);
        Assert.Null(pool.Notice);
    }

    [Fact]
    public async Task While_one_relay_rests_the_other_carries_on()
    {
        await using var pool = new SessionPool([Relay("one", 2), Relay("two", 2)], new MemoryRelayStore(clock), clock);
        var first = await pool.RentAsync(Cancel);
        first.Relay.Failed("down.");
        Assert.Equal(2, pool.Capacity);
        var others = new[] { await pool.RentAsync(Cancel), await pool.RentAsync(Cancel) };
        Assert.All(others, session => Assert.NotSame(first.Relay, session.Relay));
    }

    [Fact]
    public async Task Connections_stay_open_between_messages_and_close_when_they_are_idle()
    {
        await using var server = ScriptedSmtpServer.Start();
        await using var pool = new SessionPool([Relay("one", 1) with { Port = server.Port }], new MemoryRelayStore(clock), clock);
        for (var i = 0; i < 3; i++)
        {
            var session = await pool.RentAsync(Cancel);
            await session.OpenAsync(Cancel);
            pool.Return(session);
        }
        Assert.Equal((1, 1), (server.Connections, server.OpenConnections));

        clock.Advance(TimeSpan.FromSeconds(70));
        await server.WaitForAsync(relay => relay.OpenConnections == 0, Limit, "the idle connection closed");
    }

    [Fact]
    public async Task A_connection_is_handed_on_after_two_seconds_however_little_it_has_carried()
    {
        await using var pool = new SessionPool([Relay("one", 1)], new MemoryRelayStore(clock), clock);
        var session = await pool.RentAsync(Cancel);
        clock.Advance(TimeSpan.FromSeconds(1.9));
        Assert.False(session.HadItsTurn);
        clock.Advance(TimeSpan.FromSeconds(0.1));
        Assert.True(session.HadItsTurn);
        pool.Return(session);
        Assert.False((await pool.RentAsync(Cancel)).HadItsTurn);
    }

    [Fact]
    public async Task A_relay_that_keeps_us_waiting_is_named()
    {
        await using var server = ScriptedSmtpServer.Start(_ => SmtpMove.Stall);
        await using var pool = new SessionPool([Relay("one", 2) with { Port = server.Port }], new MemoryRelayStore(clock), clock);
        var (first, second) = (await pool.RentAsync(Cancel), await pool.RentAsync(Cancel));
        using var enough = new CancellationTokenSource();
        var opening = first.OpenAsync(enough.Token).AsTask();
        clock.Advance(TimeSpan.FromSeconds(4));
        Assert.Null(pool.Notice);
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("Relay 'one' has not let us in for 6 seconds (greeting, TLS, login).", pool.Notice);
        await enough.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => opening.WaitAsync(Limit, Cancel));

        first.Relay.Answers.Begin(first.Wait);
        clock.Advance(TimeSpan.FromSeconds(8));
        first.Relay.Answers.Begin(second.Wait);
        Assert.Null(pool.Notice);
        clock.Advance(TimeSpan.FromSeconds(8));
        Assert.Equal("Relay 'one' has not answered 1 message for up to 16 seconds.", pool.Notice);
        clock.Advance(TimeSpan.FromSeconds(8));
        Assert.Equal("Relay 'one' has not answered 2 messages for up to 24 seconds.", pool.Notice);
        first.Relay.Answers.End(first.Wait);
        first.Relay.Answers.End(second.Wait);
        Assert.Null(pool.Notice);
    }

    [Fact]
    public async Task An_answer_that_comes_while_others_are_stood_in_for_leaves_as_many_at_work()
    {
        await using var pool = new SessionPool([Relay("one", 3) with { StalledConnections = 2 }], new MemoryRelayStore(clock), clock);
        var (answers, told) = (pool.Relays[0].Answers, new List<string>());
        PooledSession second = null!;
        Task<PooledSession>? next = null;
        var first = await pool.RentAsync(Cancel, AnswerSecond);
        second = await pool.RentAsync(Cancel, () => told.Add("second"));
        var third = await pool.RentAsync(Cancel);
        answers.Begin(first.Wait);
        answers.Begin(second.Wait);
        for (var i = 0; i < 20; i++)
        {
            answers.Begin(third.Wait);
            answers.End(third.Wait);
        }
        clock.Advance(TimeSpan.FromMilliseconds(20));
        Assert.Equal(["first", "second"], told);
        Assert.False((await next!.WaitAsync(Limit, Cancel)).HasStandIn);

        void AnswerSecond()
        {
            told.Add("first");
            answers.End(second.Wait);
            // Whoever has it ends: another goes on in its place, once.
            Assert.True(second.HasStandIn);
            pool.Return(second);
            next = pool.RentAsync(Cancel, () => told.Add("who has it next"));
        }
    }

    // Were all connections answered in between, their loops would end, and the mailing would stand still.
    [Fact]
    public async Task Whoever_is_stood_in_for_cannot_be_done_before_the_other_one_is_there()
    {
        await using var pool = new SessionPool([Relay("one", 1) with { StalledConnections = 1 }], new MemoryRelayStore(clock), clock);
        var (answers, told, wasThere) = (pool.Relays[0].Answers, 0, false);
        PooledSession session = null!;
        session = await pool.RentAsync(Cancel, StandIn);
        answers.Begin(session.Wait);
        var ending = Task.CompletedTask;
        clock.Advance(TimeSpan.FromSeconds(30));
        await ending.WaitAsync(Limit, Cancel);
        Assert.Equal((1, true), (told, wasThere));

        void StandIn()
        {
            Assert.True(session.HasStandIn);
            answers.End(session.Wait);
            var ended = new ManualResetEventSlim();
            ending = Task.Factory.StartNew(
                () =>
                {
                    pool.Return(session);
                    wasThere = Volatile.Read(ref told) == 1;
                    ended.Set();
                },
                Cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            Assert.False(ended.Wait(TimeSpan.FromMilliseconds(200), Cancel));
            Volatile.Write(ref told, 1);
        }
    }

    [Fact]
    public async Task Who_waits_too_long_twice_in_one_turn_is_stood_in_for_once()
    {
        await using var pool = new SessionPool([Relay("one", 2) with { StalledConnections = 2 }], new MemoryRelayStore(clock), clock);
        var (answers, told) = (pool.Relays[0].Answers, 0);
        var session = await pool.RentAsync(Cancel, () => told++);
        answers.Begin(session.Wait);
        answers.End(session.Wait);
        for (var i = 0; i < 2; i++)
        {
            Stall();
            Assert.Equal((1, true), (told, session.HasStandIn));
        }
        pool.Return(session);
        Assert.Same(session, await pool.RentAsync(Cancel, () => told++));
        Stall();
        Assert.Equal(2, told);

        void Stall()
        {
            answers.Begin(session.Wait);
            clock.Advance(TimeSpan.FromSeconds(30));
            Assert.Equal(1, answers.Stalled);
            answers.End(session.Wait);
        }
    }

    [Fact]
    public async Task A_relay_that_was_down_is_tried_with_what_it_gets_next()
    {
        await using var pool = new SessionPool([Relay("one", 2)], new MemoryRelayStore(clock), clock);
        var session = await pool.RentAsync(Cancel);
        session.Relay.Failed("connection refused.");
        pool.Return(session);
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("connection refused. It is tried with the next message that it gets.", pool.Notice);
        await pool.RentAsync(Cancel);
        Assert.Equal("connection refused. It is being tried now.", pool.Notice);
    }

    private static async Task NobodyElseGetsOneAsync(SessionPool pool)
    {
        using var giveUp = new CancellationTokenSource();
        var waiting = pool.RentAsync(giveUp.Token);
        Assert.False(waiting.IsCompleted);
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(Limit, Cancel));
    }

    private static RelayOptions Relay(string name, int connections)
        => new() { Name = name, Host = "127.0.0.1", Port = 1, Security = RelaySecurity.None, Connections = connections, StalledConnections = 0 };
}
