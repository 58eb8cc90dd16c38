using System.Globalization;
using System.Text;
using WeeklyDigest.Server.Public;
using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Server.Commands.Doctor;

/// <summary>Asks for the public address as a reader's mail program would, for unsubscribe links lead there; and takes the time its answer bears.</summary>
internal static class AddressCheck
{
    private const string Area = "address";

    // A link that nobody was given: the page that says so is ours alone, and it is shown however the database is.
    private const string Probe = "/unsubscribe/doctor";
    private const int MostRead = 64 * 1024;

    /// <summary>Looks at it, and asks when it is one that others can reach.</summary>
    /// <returns>What was found, and the Date of the answer (RFC 9110 section 6.6.1), or null.</returns>
    public static async Task<(Diagnosis Found, DateTimeOffset? Date)> RunAsync(ServerSettings settings, TimeProvider time, CancellationToken cancel)
    {
        var address = settings.Newsletter.BaseUrl;
        if (settings.Relays.Count == 0)
            return (Diagnosis.Ok(Area, $"{settings.Newsletter.UrlOf("/")} is where links lead; set Newsletter:BaseUrl before subscribers elsewhere get mail."), null);
        return address.IsLoopback
            ? (Diagnosis.Warning(
                Area, $"Links in messages lead to {address}, which only this machine can open: a subscriber elsewhere cannot unsubscribe.",
                "Write the public address in Newsletter:BaseUrl, unless the relay keeps every message on this machine."), null)
            : await AskAsync(settings.Newsletter, time, cancel);
    }

    /// <summary>Asks.</summary>
    public static async Task<(Diagnosis Found, DateTimeOffset? Date)> AskAsync(Newsletter newsletter, TimeProvider time, CancellationToken cancel)
    {
        using var limit = new CancellationTokenSource(DoctorCommand.Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        try
        {
            using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false });
            using var answer = await client.GetAsync(new Uri(newsletter.UrlOf(Probe)), HttpCompletionOption.ResponseHeadersRead, either.Token);
            return (Judge(newsletter.BaseUrl, (int)answer.StatusCode, await BeginningAsync(answer.Content, either.Token)), answer.Headers.Date);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException || (failure is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            var reason = failure is OperationCanceledException ? $"no answer within {DoctorCommand.Patience.TotalSeconds} seconds" : (failure.InnerException ?? failure).Message.TrimEnd('.');
            return (Diagnosis.Warning(Area, $"{newsletter.BaseUrl} cannot be reached from here ({reason}).", "Start `weeklydigest serve`, and check the proxy in front of it: unsubscribe links lead there."), null);
        }
    }

    /// <summary>What an answer means.</summary>
    /// <param name="address">The public address.</param>
    /// <param name="status">The answer's.</param>
    /// <param name="page">Its content.</param>
    public static Diagnosis Judge(Uri address, int status, string page)
    {
        if (status != 404 || !page.Contains(UnsubscribePages.UnknownLink, StringComparison.Ordinal))
            return Diagnosis.Warning(
                Area, string.Create(CultureInfo.InvariantCulture, $"{address} answers {status} to an unsubscribe link, and not with our page: nobody can unsubscribe."),
                "Start `weeklydigest serve`, and let the proxy in front of it pass on everything, with its path as it is.");
        return address.Scheme == Uri.UriSchemeHttps
            ? Diagnosis.Ok(Area, $"{address} answers.")
            : Diagnosis.Warning(Area, $"{address} answers, but without TLS: mail programs offer one-click unsubscribing over https only (RFC 8058).", "Put a proxy with a certificate in front, and write https in Newsletter:BaseUrl.");
    }

    private static async Task<string> BeginningAsync(HttpContent content, CancellationToken cancel)
    {
        await using var stream = await content.ReadAsStreamAsync(cancel);
        var read = new byte[MostRead];
        return Encoding.UTF8.GetString(read, 0, await stream.ReadAtLeastAsync(read, MostRead, throwOnEndOfStream: false, cancel));
    }
}
