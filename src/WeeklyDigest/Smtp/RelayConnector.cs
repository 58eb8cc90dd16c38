using System.Net;
using System.Net.NetworkInformation;
using System.Text;
using MailKit.Security;

namespace WeeklyDigest.Smtp;

/// <summary>Opens connections to a relay: socket, TLS, EHLO, login. Whatever fails here is the relay's matter, never a recipient's. One for all connections of a relay.</summary>
internal sealed class RelayConnector(RelayOptions relay, TimeProvider time)
{
    // PLAIN and LOGIN go inside TLS or over loopback only; MailKit takes SCRAM first where it is offered. One try with one of these
    // is enough: trying a wrong password with every mechanism there is locks accounts.
    private static readonly string[] Mechanisms =
        ["SCRAM-SHA-512-PLUS", "SCRAM-SHA-512", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-1", "PLAIN", "LOGIN"];

    private readonly RelayDialer _dialer = new(time);

    /// <summary>Where a name leads.</summary>
    public Func<string, CancellationToken, Task<IPAddress[]>> Resolve { private get; init; } = Dns.GetHostAddressesAsync;

    /// <summary>Opens one.</summary>
    /// <exception cref="RelayException">The relay cannot be used.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public async Task<RelayConnection> OpenAsync(CancellationToken cancel)
    {
        var certificates = RelayCertificates.Load(relay);
        var lifetime = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        var opening = new Opening(new RelayClient(), certificates, lifetime);
        var registration = cancel.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), lifetime);
        try
        {
            opening.Lifetime.CancelAfter(RelayLimits.Connect);
            var addresses = await Resolve(relay.Host, opening.Lifetime.Token);
            // Blocks for minutes at worst, one for each connection: not on the threads that renew leases.
            await Task.Factory.StartNew(() => Open(opening, addresses), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            opening.Stream!.Opened();
            await registration.DisposeAsync();
            return new RelayConnection(opening.Client, opening.Stream, lifetime) { CertificateExpires = certificates.Expires };
        }
        catch (Exception failure)
        {
            await registration.DisposeAsync();
            var timedOut = lifetime.IsCancellationRequested;
            opening.Dispose();
            cancel.ThrowIfCancellationRequested();
            if (RelayFailure.Opening(relay, opening.Stage, failure, timedOut, certificates.Refusal, opening.OneOfSeveral) is not { } known) throw;
            if (known.IsTransient && opening is { Address: { } address, Stage: not DialogueStage.Login }) _dialer.Failed(address);
            throw known;
        }
    }

    private void Open(Opening opening, IPAddress[] addresses)
    {
        Connect(opening, addresses);
        Greet(opening);
        _dialer.Greeted(opening.Address!);
        LogIn(opening);
    }

    private void Connect(Opening opening, IPAddress[] addresses)
    {
        // The settings know only the name; where it leads is known here.
        if (relay.Security == RelaySecurity.None && addresses.FirstOrDefault(address => !IsThisMachine(address)) is { } elsewhere) RefusePlaintext(elsewhere);
        (var socket, opening.Address) = _dialer.Connect(addresses, relay.Port, opening.Lifetime.Token);
        opening.IsOneOfSeveral = addresses.Length > 1;
        opening.Stream = new RelayStream(socket, opening.Lifetime);
        opening.Client.LocalDomain = HelloName(((IPEndPoint)socket.LocalEndPoint!).Address);
    }

    private void RefusePlaintext(IPAddress elsewhere)
    {
        if (relay.Username.Length > 0)
        {
            throw new RelayException(
                $"Relay '{relay.Name}' ({elsewhere}) has Security 'none' and a user name: the password would cross the network in clear, which is never done. Set Security to 'starttls' or 'tls', or remove the user name.",
                isTransient: false);
        }
        if (!relay.AllowPlaintext)
        {
            throw new RelayException(
                $"Relay '{relay.Name}' ({elsewhere}) has Security 'none' and is another machine: every message would cross the network in clear. Set Security to 'starttls' or 'tls', or AllowPlaintext to true if the network between is yours.",
                isTransient: false);
        }
    }

    private void Greet(Opening opening)
    {
        opening.Stage = relay.Security == RelaySecurity.Tls ? DialogueStage.Tls : DialogueStage.Greeting;
        opening.Client.ServerCertificateValidationCallback = opening.Certificates.Validate;
        opening.Client.CheckCertificateRevocation = true;
        opening.Lifetime.CancelAfter(RelayLimits.Opening);
        var security = relay.Security switch
        {
            RelaySecurity.Tls => SecureSocketOptions.SslOnConnect,
            RelaySecurity.StartTls => SecureSocketOptions.StartTls,
            _ => SecureSocketOptions.None,
        };
        opening.Client.Connect(opening.Stream!, relay.Host, relay.Port, security, opening.Lifetime.Token);
    }

    private void LogIn(Opening opening)
    {
        if (relay.Username.Length == 0) return;
        opening.Stage = DialogueStage.Login;
        var offered = opening.Client.AuthenticationMechanisms;
        var chosen = Mechanisms.FirstOrDefault(offered.Contains)
            ?? throw new RelayException(
                $"Relay '{relay.Name}' offers no login that can be used here (it offers {(offered.Count == 0 ? "none" : ReplyText.Clean(string.Join(", ", offered.Order())))}). Check port and security, or remove the user name.",
                isTransient: false);
        offered.RemoveWhere(name => name != chosen);
        opening.Client.Authenticate(Encoding.UTF8, new NetworkCredential(relay.Username, relay.Password), opening.Lifetime.Token);
    }

    private static bool IsThisMachine(IPAddress address)
        => IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);

    /// <summary>What EHLO says: this host's full name, or its address where it has none (RFC 5321 section 4.1.4).</summary>
    private static string HelloName(IPAddress local)
    {
        var host = IPGlobalProperties.GetIPGlobalProperties().HostName;
        return host.Contains('.', StringComparison.Ordinal) && Uri.CheckHostName(host) == UriHostNameType.Dns
            ? host
            : (local.IsIPv4MappedToIPv6 ? local.MapToIPv4() : local).ToString();
    }

    private sealed class Opening(RelayClient client, RelayCertificates certificates, CancellationTokenSource lifetime) : IDisposable
    {
        private DialogueStage _stage = DialogueStage.Connect;

        public RelayClient Client { get; } = client;

        public RelayCertificates Certificates { get; } = certificates;

        public CancellationTokenSource Lifetime { get; } = lifetime;

        public RelayStream? Stream { get; set; }

        /// <summary>Whom it leads to; null until somebody answers.</summary>
        public IPAddress? Address { get; set; }

        public bool IsOneOfSeveral { get; set; }

        public IPAddress? OneOfSeveral => IsOneOfSeveral ? Address : null;

        public DialogueStage Stage
        {
            get => _stage switch
            {
                DialogueStage.Tls when Certificates.Expires is not null => DialogueStage.Greeting,
                DialogueStage.Greeting when Stream is { Sendings: > 0 } => DialogueStage.Hello,
                _ => _stage,
            };
            set => _stage = value;
        }

        public void Dispose()
        {
            Client.Dispose();
            Stream?.Dispose();
            Lifetime.Dispose();
        }
    }
}
