using System.Globalization;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Server.Commands.Doctor;

/// <summary>Connects to a relay, agrees on TLS, logs in, and says what it can do. Sends nothing.</summary>
internal static class RelayCheck
{
    private const string Area = "relay";
    private static readonly TimeSpan ExpiresSoon = TimeSpan.FromDays(14);

    /// <summary>Looks at one relay.</summary>
    /// <param name="relay">The relay.</param>
    /// <param name="signs">Whether messages are signed; those are ASCII, whatever the relay can do.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancel">Stops.</param>
    public static async Task<Diagnosis> RunAsync(RelayOptions relay, bool signs, TimeProvider time, CancellationToken cancel)
    {
        using var limit = new CancellationTokenSource(DoctorCommand.Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        try
        {
            return Judge(await RelayProbe.RunAsync(relay, time, either.Token), relay, signs, time.GetUtcNow());
        }
        catch (RelayException trouble)
        {
            return Diagnosis.Problem(Area, trouble.Message, "Nothing was sent.");
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return Diagnosis.Problem(Area, $"Relay '{relay.Name}' ({relay.Host}:{relay.Port}) did not let us in within {DoctorCommand.Patience.TotalSeconds} seconds (greeting, TLS, EHLO, login).", "Check host, port and security (tls on 465, starttls on 587), and the firewall between; else ask whoever runs the relay.");
        }
    }

    private static Diagnosis Judge(RelayReport report, RelayOptions relay, bool signs, DateTimeOffset now)
    {
        var found = string.Create(CultureInfo.InvariantCulture, $"'{relay.Name}' ({relay.Host}:{relay.Port}) answers{Protection(report)}{(report.LoggedIn ? ", took the login" : "")}; it announces {Announced(report)}.");
        if (report.CertificateExpires - now < ExpiresSoon)
            return Diagnosis.Warning(Area, string.Create(CultureInfo.InvariantCulture, $"{found} Its certificate ends on {report.CertificateExpires:yyyy-MM-dd}."), "Whoever runs the relay has to renew it, or sending stops that day.");
        return report.Abilities.EightBitMime || signs
            ? Diagnosis.Ok(Area, found)
            : Diagnosis.Warning(Area, $"{found} Without 8BITMIME, messages with letters beyond ASCII grow.", "It works; a newer relay would be better.");
    }

    private static string Protection(RelayReport report) => report.Protocol is { } protocol ? $" over {protocol}" : " in clear";

    private static string Announced(RelayReport report) => report.Extensions.Count == 0 ? "nothing" : string.Join(", ", report.Extensions);
}
