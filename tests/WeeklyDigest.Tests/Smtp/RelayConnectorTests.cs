using System.Net;
using System.Net.Sockets;
using WeeklyDigest.Smtp;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Smtp;

/// <summary>A name with two addresses: at the first one connections are accepted and nobody greets, as at a balancer whose relay is dead; at the second one is a relay.</summary>
public sealed class RelayConnectorTests : IAsyncDisposable
{
    private static readonly IPAddress Dead = IPAddress.Parse("127.0.0.2");

    private readonly ManualClock clock = new();
    private readonly ScriptedSmtpServer server = ScriptedSmtpServer.Start();
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public RelayConnectorTests()
    {
        listener.Bind(new IPEndPoint(Dead, server.Port));
        listener.Listen();
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        listener.Dispose();
        await server.DisposeAsync();
    }

    [Theory]
    [InlineData(RelaySecurity.None, "did not greet us: No answer in time.")]
    [InlineData(RelaySecurity.StartTls, "did not greet us: No answer in time.")]
    [InlineData(RelaySecurity.Tls, "did not finish the TLS handshake: No answer in time.")]
    public async Task Passes_over_an_address_that_keeps_silent_from_the_next_try_on(RelaySecurity security, string expected)
    {
        var connector = Connector(security);
        var opening = connector.OpenAsync(Cancel);
        // Before it is connected, the limit of that would strike.
        using var accepted = await listener.AcceptAsync(Cancel);
        var failure = await Assert.ThrowsAsync<RelayException>(() => TurnClockAsync(opening));
        Assert.Equal($"Relay 'main' (localhost:{server.Port} at 127.0.0.2) {expected} A mailing that is being sent tries again by itself.", failure.Message);
        await ReachesTheRelayAsync(connector, security);
    }

    [Theory]
    [InlineData(RelaySecurity.None, "")]
    [InlineData(RelaySecurity.None, "220 dead.example\r\n")]
    [InlineData(RelaySecurity.StartTls, "220 dead.example\r\n")]
    [InlineData(RelaySecurity.Tls, "")]
    public async Task Passes_over_an_address_that_hangs_up_from_the_next_try_on(RelaySecurity security, string greeting)
    {
        var connector = Connector(security);
        var opening = connector.OpenAsync(Cancel);
        using (var accepted = await listener.AcceptAsync(Cancel))
        {
            if (greeting.Length > 0) await accepted.SendAsync(System.Text.Encoding.ASCII.GetBytes(greeting), Cancel);
        }
        var failure = await Assert.ThrowsAsync<RelayException>(() => opening);
        Assert.StartsWith($"Relay 'main' (localhost:{server.Port} at 127.0.0.2) did not ", failure.Message, StringComparison.Ordinal);
        await ReachesTheRelayAsync(connector, security);
    }

    // The relay has no TLS; that it is asked for it is enough.
    private async Task ReachesTheRelayAsync(RelayConnector connector, RelaySecurity security)
    {
        var opening = connector.OpenAsync(Cancel).WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System, Cancel);
        if (security == RelaySecurity.None) await (await opening).DisposeAsync();
        else Assert.Contains(" at 127.0.0.1)", (await Assert.ThrowsAsync<RelayException>(() => opening)).Message, StringComparison.Ordinal);
        Assert.Equal(1, server.Connections);
    }

    private async Task TurnClockAsync(Task opening)
    {
        while (!opening.IsCompleted)
        {
            await Task.WhenAny(opening, Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, Cancel));
            clock.Advance(RelayLimits.Opening);
        }
        await opening;
    }

    private RelayConnector Connector(RelaySecurity security) => new(new RelayOptions { Name = "main", Host = "localhost", Port = server.Port, Security = security }, clock)
    {
        Resolve = (_, _) => Task.FromResult<IPAddress[]>([Dead, IPAddress.Loopback]),
    };
}
