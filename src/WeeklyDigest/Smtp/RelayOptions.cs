namespace WeeklyDigest.Smtp;

/// <summary>An SMTP server we send through. Bound from <c>Smtp:Relays</c>.</summary>
public sealed record RelayOptions
{
    /// <summary>The name in logs and messages; default the host. Processes and nodes that share a database share a relay's limits by this name.</summary>
    public string Name { get; init; } = "";

    /// <summary>Host name or address. Required.</summary>
    public string Host { get; init; } = "";

    /// <summary>Port, 1 to 65535; default 587.</summary>
    public int Port { get; init; } = 587;

    /// <summary>How the connection is protected; default starttls. There is no "if available": it would send the password in clear.</summary>
    public RelaySecurity Security { get; init; } = RelaySecurity.StartTls;

    /// <summary>Whether <see cref="RelaySecurity.None"/> may cross a network, which is for a network of one's own; default no. A login never crosses one in clear.</summary>
    public bool AllowPlaintext { get; init; }

    /// <summary>User name, or empty for no login.</summary>
    public string Username { get; init; } = "";

    /// <summary>Password; a secret.</summary>
    public string Password { get; init; } = "";

    /// <summary>Connections held at once, per process. 1 to 100; default 4.</summary>
    public int Connections { get; init; } = 4;

    /// <summary>
    /// Further connections that may be opened, one in the place of each that has waited far longer than usual for an answer: a recipient whose
    /// answer takes a minute holds nobody up. 0 to 1000; default 250; 0 is none. As soon as the relay refuses one, there are no more for a minute.
    /// </summary>
    public int StalledConnections { get; init; } = 250;

    /// <summary>Upper bound of messages per second over all processes and nodes, at least 0.0001; 0 (default) is none. For what may go at once, see <see cref="RelayRates"/>.</summary>
    public double MessagesPerSecond { get; init; }

    /// <summary>Upper bound of messages in any minute, likewise.</summary>
    public double MessagesPerMinute { get; init; }

    /// <summary>Upper bound of messages in any hour, likewise.</summary>
    public double MessagesPerHour { get; init; }

    /// <summary>The upper bounds together.</summary>
    public RelayRates Rates => new(MessagesPerSecond, MessagesPerMinute, MessagesPerHour);

    /// <summary>
    /// Its share of the messages among several relays, 1 to 1000; default 1. A relay waits for one of larger weight that keeps up; relays of equal
    /// weight take what their connections and rates allow.
    /// </summary>
    public int Weight { get; init; } = 1;

    /// <summary>A connection is closed and opened anew after so many messages; 0 is never. Default 1000.</summary>
    public int MessagesPerConnection { get; init; } = 1000;

    /// <summary>PEM file of certificates trusted beside the system's, for a relay with a private authority; empty for none.</summary>
    public string TrustedCertificates { get; init; } = "";
}

/// <summary>How a connection is protected.</summary>
public enum RelaySecurity
{
    /// <summary>In clear; only to this machine, or with <see cref="RelayOptions.AllowPlaintext"/> and without a login.</summary>
    None,

    /// <summary>STARTTLS, required (RFC 3207).</summary>
    StartTls,

    /// <summary>TLS from the first byte (RFC 8314).</summary>
    Tls,
}
