using WeeklyDigest.Deliveries;
using WeeklyDigest.Smtp;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Smtp;

/// <summary>Relays that do not answer, and callers that do not wait; the clock is turned by hand.</summary>
public sealed class SmtpSessionTimeTests
{
    private readonly ManualClock clock = new();
    private readonly TaskCompletionSource stalled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("RcptTo", 5, "Deferred")]
    [InlineData("Data", 5, "Deferred")]
    [InlineData("Message", 10, "Unknown")]
    public async Task Waits_as_long_as_the_standard_asks_and_no_longer(string stage, int minutes, string expected)
    {
        await using var server = ScriptedSmtpServer.Start(StallAt(stage));
        await using var session = Session(server);
        var sending = SendAsync(session, Cancel);
        await stalled.Task.WaitAsync(Cancel);
        clock.Advance(TimeSpan.FromMinutes(minutes) - TimeSpan.FromSeconds(1));
        Assert.NotSame(sending, await Task.WhenAny(sending, Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Cancel)));
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(new SendOutcome(Enum.Parse<SendResult>(expected), "No answer in time."), await sending.WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System, Cancel));
    }

    [Theory]
    [InlineData("Modern", 9, "Accepted")]
    [InlineData("Modern", 11, "Deferred")]
    [InlineData("Modern, Chunking", 9, "Accepted")]
    [InlineData("Modern, Chunking", 11, "Deferred")]
    public async Task Knows_that_nothing_has_left_when_its_own_wait_before_the_end_took_too_long(string announced, int minutes, string expected)
    {
        await using var server = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { Abilities = Enum.Parse<SmtpAbilities>(announced) });
        await using var session = Session(server);
        var outcome = await SendAsync(session, Samples.Compose(Samples.Modern) with { Leaving = Wait });
        Assert.Equal((Enum.Parse<SendResult>(expected), expected == "Accepted" ? 1 : 0), (outcome.Result, server.AcceptedCount));

        bool Wait()
        {
            clock.Advance(TimeSpan.FromMinutes(minutes));
            return true;
        }
    }

    [Fact]
    public async Task Knows_that_nothing_has_left_when_the_relay_has_hung_up_before_the_end()
    {
        await using var server = ScriptedSmtpServer.Start(moment => moment.Stage == SmtpStage.Data ? SmtpMove.ReplyThenClose("354 go on") : SmtpMove.Accept);
        await using var session = Session(server);
        var outcome = await SendAsync(session, Samples.Compose(Samples.Modern) with { Leaving = Wait });
        Assert.Equal(new SendOutcome(SendResult.Deferred, "The relay did not wait for the end of the message."), outcome);

        bool Wait()
        {
            server.WaitForAsync(relay => relay.OpenConnections == 0, TimeSpan.FromSeconds(20), "the relay hangs up").GetAwaiter().GetResult();
            return true;
        }
    }

    [Fact]
    public async Task Gives_up_a_relay_that_never_greets()
    {
        await using var server = ScriptedSmtpServer.Start(StallAt("Connect"));
        await using var session = Session(server);
        var opening = session.OpenAsync(Cancel).AsTask();
        await stalled.Task.WaitAsync(Cancel);
        // The limit of the greeting begins when the connection stands, which may be an instant after the server saw it.
        while (!opening.IsCompleted)
        {
            clock.Advance(TimeSpan.FromMinutes(1));
            await Task.WhenAny(opening, Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Cancel));
        }
        Assert.True((await Assert.ThrowsAsync<RelayException>(() => opening)).IsTransient);
    }

    [Fact]
    public async Task Gives_a_relay_that_does_not_let_us_in_a_minute_and_no_longer()
    {
        await using var server = ScriptedSmtpServer.Start(StallAt("Hello"));
        await using var session = Session(server);
        var opening = session.OpenAsync(Cancel).AsTask();
        await stalled.Task.WaitAsync(Cancel);
        clock.Advance(TimeSpan.FromSeconds(59));
        Assert.NotSame(opening, await Task.WhenAny(opening, Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Cancel)));
        clock.Advance(TimeSpan.FromSeconds(2));
        var failure = await Assert.ThrowsAsync<RelayException>(() => opening.WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System, Cancel));
        Assert.Contains("did not answer EHLO or STARTTLS: No answer in time", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Connect", "NotStarted")]
    [InlineData("RcptTo", "NotStarted")]
    [InlineData("Data", "NotStarted")]
    [InlineData("Message", "Unknown")]
    public async Task Knows_when_stopped_whether_the_message_had_been_handed_over(string stage, string expected)
    {
        await using var server = ScriptedSmtpServer.Start(StallAt(stage));
        await using var session = Session(server);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var sending = SendAsync(session, stop.Token);
        await stalled.Task.WaitAsync(Cancel);
        await stop.CancelAsync();
        Assert.Equal(Enum.Parse<SendResult>(expected), (await sending.WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System, Cancel)).Result);
    }

    [Fact]
    public async Task Throws_when_opening_is_stopped()
    {
        await using var server = ScriptedSmtpServer.Start();
        await using var session = Session(server);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => session.OpenAsync(new CancellationToken(canceled: true)).AsTask());
    }

    [Fact]
    public async Task Waits_a_second_at_most_for_the_answer_to_QUIT()
    {
        await using var server = ScriptedSmtpServer.Start(moment =>
        {
            if (moment.Line != "QUIT") return SmtpMove.Accept;
            stalled.TrySetResult();
            return SmtpMove.Stall;
        });
        var session = Session(server);
        await session.OpenAsync(Cancel);
        var leaving = session.DisposeAsync().AsTask();
        await stalled.Task.WaitAsync(Cancel);
        clock.Advance(TimeSpan.FromSeconds(1));
        await leaving.WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System, Cancel);
    }

    [Fact]
    public async Task Keeps_an_idle_connection_however_long_nothing_is_sent()
    {
        await using var server = ScriptedSmtpServer.Start();
        await using var session = Session(server);
        Assert.Equal(SendResult.Accepted, (await SendAsync(session, Cancel)).Result);
        clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(SendResult.Accepted, (await SendAsync(session, Cancel)).Result);
        Assert.Equal(1, server.Connections);
    }

    private Func<SmtpMoment, SmtpMove> StallAt(string stage) => moment =>
    {
        if (moment.Stage != Enum.Parse<SmtpStage>(stage)) return SmtpMove.Accept;
        stalled.TrySetResult();
        return SmtpMove.Stall;
    };

    private SmtpSession Session(ScriptedSmtpServer server)
        => new(new RelayOptions { Name = "main", Host = "127.0.0.1", Port = server.Port, Security = RelaySecurity.None }, clock);

    private static Task<SendOutcome> SendAsync(SmtpSession session, ComposedMessage message) => session.SendAsync(message, Samples.Bounces, Samples.Address("ada@example.org"), Cancel);

    private static Task<SendOutcome> SendAsync(SmtpSession session, CancellationToken cancel)
        => session.SendAsync(Samples.Compose(Samples.Modern), Samples.Bounces, Samples.Address("ada@example.org"), cancel);
}
