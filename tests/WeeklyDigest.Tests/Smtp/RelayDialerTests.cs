using System.Net;
using System.Net.Sockets;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Tests.Smtp;

/// <summary>Names with several addresses. A listener whose queue is full does what a firewall does: it lets packets disappear.</summary>
public sealed class RelayDialerTests : IDisposable
{
    private static readonly IPAddress First = IPAddress.Parse("127.0.0.1");
    private static readonly IPAddress Second = IPAddress.Parse("127.0.0.2");

    // A host without IPv6 says the same of an IPv6 address.
    private static readonly IPAddress NoWay = IPAddress.Broadcast;

    private readonly ManualClock clock = new();
    private readonly List<Socket> sockets = [];
    private readonly int port = LoopbackPort.Free();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => sockets.ForEach(socket => socket.Dispose());

    [Fact]
    public async Task Reaches_the_second_address_of_a_name_whose_first_one_swallows_packets()
    {
        Swallow(First);
        Listen(Second);
        var dialer = new RelayDialer(clock);
        var dialing = DialAsync(dialer, [First, Second], Cancel);
        Assert.NotSame(dialing, await Task.WhenAny(dialing, Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Cancel)));
        Assert.Equal(Second, await TurnClockAsync(dialing));
        // And remembers it: not every connection waits anew.
        Assert.Equal(Second, await DialAsync(dialer, [First, Second], Cancel));
    }

    [Fact]
    public async Task Reaches_the_second_address_of_a_name_whose_first_one_refuses()
    {
        Listen(Second);
        Assert.Equal(Second, await DialAsync(new RelayDialer(clock), [First, Second], Cancel));
    }

    [Fact]
    public async Task Waits_for_a_single_address_until_told_to_give_up()
    {
        Swallow(First);
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var dialing = DialAsync(new RelayDialer(clock), [First], giveUp.Token);
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.NotSame(dialing, await Task.WhenAny(dialing, Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Cancel)));
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => dialing.WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System, Cancel));
    }

    [Fact]
    public void Tries_an_address_of_the_other_kind_before_a_second_one_of_the_same()
    {
        IPAddress[] six = [IPAddress.Parse("2001:db8::2"), IPAddress.Parse("2001:db8::1")];
        Assert.Equal([six[0], Second, six[1], First], new RelayDialer(clock).InTurn([six[0], six[1], Second, First]));
    }

    [Fact]
    public void Lets_the_one_that_failed_last_come_last_until_it_greets()
    {
        var dialer = new RelayDialer(clock);
        dialer.Failed(First);
        Assert.Equal([Second, NoWay, First], dialer.InTurn([First, Second, NoWay]));
        dialer.Failed(Second);
        dialer.Failed(NoWay);
        dialer.Failed(First);
        Assert.Equal([Second, NoWay, First], dialer.InTurn([First, Second, NoWay]));
        dialer.Greeted(First);
        Assert.Equal([First, Second, NoWay], dialer.InTurn([First, Second, NoWay]));
    }

    [Fact]
    public async Task Tells_what_is_wrong_when_none_answers()
    {
        var failure = await Assert.ThrowsAsync<SocketException>(() => DialAsync(new RelayDialer(clock), [First, Second], Cancel));
        Assert.Equal(SocketError.ConnectionRefused, failure.SocketErrorCode);
        await Assert.ThrowsAsync<SocketException>(() => DialAsync(new RelayDialer(clock), [], Cancel));
    }

    [Fact]
    public async Task Tells_of_the_address_that_kept_silent_where_there_is_no_way_to_the_other_one()
    {
        Swallow(First);
        var failure = await Assert.ThrowsAsync<SocketException>(() => TurnClockAsync(DialAsync(new RelayDialer(clock), [First, NoWay], Cancel)));
        Assert.Equal($"No answer in time from 127.0.0.1:{port}.", failure.Message);
    }

    [Fact]
    public async Task Tells_of_the_address_that_refuses_whichever_has_its_turn_first()
    {
        foreach (IPAddress[] addresses in (IPAddress[][])[[First, NoWay], [NoWay, First], [NoWay, First, NoWay]])
        {
            var failure = await Assert.ThrowsAsync<SocketException>(() => DialAsync(new RelayDialer(clock), addresses, Cancel));
            Assert.Equal(SocketError.ConnectionRefused, failure.SocketErrorCode);
        }
        Assert.Equal(SocketError.NetworkUnreachable, (await Assert.ThrowsAsync<SocketException>(() => DialAsync(new RelayDialer(clock), [NoWay], Cancel))).SocketErrorCode);
    }

    private async Task<IPAddress> TurnClockAsync(Task<IPAddress> dialing)
    {
        while (!dialing.IsCompleted)
        {
            clock.Advance(RelayLimits.Address);
            await Task.WhenAny(dialing, Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Cancel));
        }
        return await dialing;
    }

    private Task<IPAddress> DialAsync(RelayDialer dialer, IPAddress[] addresses, CancellationToken cancel) => Task.Factory.StartNew(
        () =>
        {
            var (socket, address) = dialer.Connect(addresses, port, cancel);
            socket.Dispose();
            return address;
        },
        CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private void Listen(IPAddress address, int backlog = 16)
    {
        var listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        sockets.Add(listener);
        listener.Bind(new IPEndPoint(address, port));
        listener.Listen(backlog);
    }

    private void Swallow(IPAddress address)
    {
        Listen(address, backlog: 0);
        var filler = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        sockets.Add(filler);
        filler.Connect(address, port);
    }
}
