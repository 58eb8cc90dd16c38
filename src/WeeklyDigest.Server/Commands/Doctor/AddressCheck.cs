using System.Globalization;
using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Server.Commands.Doctor;

/// <summary>Asks for the public address as a reader's mail program would, for unsubscribe links lead there; and takes the time its answer bears.</summary>
internal static class AddressCheck
{
    private const string Area = "address";

    /// <summary>Asks.</summary>
    /// <returns>What was found, and the Date of the answer (RFC 9110 section 6.6.1), or null.</returns>
    public static async Task<(Diagnosis Found, DateTimeOffset? Date)> RunAsync(ServerSettings settings, TimeProvider time, CancellationToken cancel)
    {
        var address = settings.Newsletter.BaseUrl;
        if (settings.Relays.Count == 0 || address == NewsletterReader.BaseOf(settings.Urls[0]))
            return (Diagnosis.Ok(Area, $"{settings.Newsletter.UrlOf("/")} is this machine's own; set Newsletter:BaseUrl before subscribers elsewhere get mail."), null);
        using var limit = new CancellationTokenSource(DoctorCommand.Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        try
        {
            using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false });
            using var answer = await client.GetAsync(new Uri(settings.Newsletter.UrlOf("/healthz/live")), HttpCompletionOption.ResponseHeadersRead, either.Token);
            return (Judge(address, (int)answer.StatusCode), answer.Headers.Date);
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException && !cancel.IsCancellationRequested)
        {
            var reason = failure is HttpRequestException ? (failure.InnerException ?? failure).Message.TrimEnd('.') : $"no answer within {DoctorCommand.Patience.TotalSeconds} seconds";
            return (Diagnosis.Warning(Area, $"{address} cannot be reached from here ({reason}).", "Start `weeklydigest serve`, and check the proxy in front of it: unsubscribe links lead there."), null);
        }
    }

    private static Diagnosis Judge(Uri address, int status)
    {
        if (status is < 200 or > 299)
            return Diagnosis.Warning(Area, string.Create(CultureInfo.InvariantCulture, $"{address} answers {status}."), "Start `weeklydigest serve`, and let the proxy in front of it pass on everything.");
        return address.Scheme == "https" || address.IsLoopback
            ? Diagnosis.Ok(Area, $"{address} answers.")
            : Diagnosis.Warning(Area, $"{address} answers, but without TLS: mail programs offer one-click unsubscribing over https only (RFC 8058).", "Put a proxy with a certificate in front, and write https in Newsletter:BaseUrl.");
    }
}
