using WeeklyDigest.Publishing;
using WeeklyDigest.Smtp;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>A relay that allows fewer connections than the settings.</summary>
public sealed class ConnectionLimitTests
{
    private const int Allowed = 2;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_mailing_goes_on_over_the_connections_that_the_relay_allows(bool saysSo)
    {
        EnginePlace? place = null;
        var refusal = saysSo ? SmtpMove.ReplyThenClose("421 4.7.0 too many connections") : SmtpMove.Drop;
        await using var opened = place = EnginePlace.Open(moment => moment.Stage switch
        {
            SmtpStage.Connect when place!.Server.OpenConnections > Allowed => refusal,
            SmtpStage.Message => SmtpMove.Hold(Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System), SmtpMove.Accept),
            _ => SmtpMove.Accept,
        });
        var mailing = await place.PublishAsync(400);
        var running = place.Start(relay => relay with { Connections = 16, MessagesPerConnection = 100 }).RunUntilAsync(mailing, Cancel);

        Assert.Equal(MailingState.Sent, (await running.WaitAsync(Limit, Cancel)).State);
        Assert.Equal(400, (await place.ReconcileAsync(mailing)).Attempts);
        Assert.InRange(place.Server.Connections, Allowed, 100);
    }

    [Fact]
    public async Task One_more_is_tried_after_a_minute_and_as_many_as_the_relay_allows_then()
    {
        var clock = new ManualClock(new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero));
        var allowed = Allowed;
        ScriptedSmtpServer? server = null;
        await using var started = server = ScriptedSmtpServer.Start(moment =>
            moment.Stage == SmtpStage.Connect && server!.OpenConnections > Volatile.Read(ref allowed) ? SmtpMove.ReplyThenClose("421 4.7.0 too many connections") : SmtpMove.Accept);
        await using var pool = new SessionPool([EnginePlace.Relay("one", server) with { Connections = 5 }], new MemoryRelayStore(clock), clock);
        List<PooledSession> lent = [];
        async Task<bool> OpensAsync()
        {
            var session = await pool.RentAsync(Cancel);
            try
            {
                await session.OpenAsync(Cancel);
                lent.Add(session);
                return true;
            }
            catch (RelayException)
            {
                await server.WaitForAsync(_ => server.OpenConnections == lent.Count, Limit, "the refused connection closed");
                pool.Return(session);
                return false;
            }
        }

        for (var i = 0; i < Allowed; i++) Assert.True(await OpensAsync());
        Assert.False(await OpensAsync());
        Assert.Equal(2, pool.Capacity);
        Assert.Contains("too many connections", pool.Notice, StringComparison.Ordinal);
        Assert.Contains("goes on over 2 connections", pool.Notice, StringComparison.Ordinal);

        clock.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(2, pool.Capacity);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(3, pool.Capacity);
        Assert.False(await OpensAsync());
        Assert.Equal(2, pool.Capacity);

        Volatile.Write(ref allowed, 4);
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.True(await OpensAsync());
        Assert.True(await OpensAsync());
        Assert.False(await OpensAsync());
        Assert.Equal(4, pool.Capacity);
        foreach (var session in lent) pool.Return(session);
    }

    [Fact]
    public async Task The_relay_rests_when_none_works()
    {
        var clock = new ManualClock(new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero));
        await using var server = ScriptedSmtpServer.Start();
        await using var pool = new SessionPool([EnginePlace.Relay("one", server) with { Connections = 2 }], new MemoryRelayStore(clock), clock);
        var first = await pool.RentAsync(Cancel);
        await first.OpenAsync(Cancel);
        pool.Return(first);
        await server.DisposeAsync();
        var again = await pool.RentAsync(Cancel);
        await Assert.ThrowsAsync<RelayException>(() => again.OpenAsync(Cancel).AsTask());
        pool.Return(again);
        Assert.Equal(0, pool.Capacity);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, pool.Capacity);
        again.Relay.Answered();
        Assert.Equal(2, pool.Capacity);
    }
}
