using MailKit.Net.Smtp;

namespace WeeklyDigest.Smtp;

/// <summary>What a relay is like, as it says itself.</summary>
/// <param name="Abilities">What matters when a message is composed.</param>
/// <param name="Extensions">All it announced (RFC 5321 section 2.2), with SIZE's limit in octets.</param>
/// <param name="Protocol">The version of TLS; null when the connection is in clear.</param>
/// <param name="CertificateExpires">When its certificate ends; null without TLS.</param>
/// <param name="LoggedIn">Whether a login was asked for and taken.</param>
public sealed record RelayReport(
    RelayAbilities Abilities,
    IReadOnlyList<string> Extensions,
    string? Protocol,
    DateTimeOffset? CertificateExpires,
    bool LoggedIn);

/// <summary>Goes the whole way of a connection, from name to login, and leaves.</summary>
public static class RelayProbe
{
    /// <summary>Asks a relay.</summary>
    /// <param name="relay">The relay.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="RelayException">It cannot be used; says what to do.</exception>
    public static async Task<RelayReport> RunAsync(RelayOptions relay, TimeProvider time, CancellationToken cancel)
    {
        await using var connection = await new RelayConnector(relay, time).OpenAsync(cancel);
        return connection.Report();
    }

    /// <summary>The names of what a relay announced.</summary>
    internal static IReadOnlyList<string> Extensions(SmtpClient client)
    {
        (SmtpCapabilities Capability, string Name)[] known =
        [
            (SmtpCapabilities.Pipelining, "PIPELINING"), (SmtpCapabilities.EightBitMime, "8BITMIME"), (SmtpCapabilities.UTF8, "SMTPUTF8"),
            (SmtpCapabilities.Chunking, "CHUNKING"), (SmtpCapabilities.EnhancedStatusCodes, "ENHANCEDSTATUSCODES"), (SmtpCapabilities.Dsn, "DSN"),
        ];
        var names = known.Where(one => client.Capabilities.HasFlag(one.Capability)).Select(one => one.Name);
        return [.. names, .. client.Capabilities.HasFlag(SmtpCapabilities.Size) && client.MaxSize > 0 ? [FormattableString.Invariant($"SIZE {client.MaxSize}")] : Array.Empty<string>()];
    }
}
