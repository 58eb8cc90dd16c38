using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Server.Desk;

/// <summary>
/// A cookie that a browser sends over TLS only (Secure, RFC 6265 section 4.1.2.5) when it came over TLS. Behind a proxy that ends TLS we see http, and the
/// proxy's name for us at worst: so the public address, the browser's own Origin, and what was found at the sign-in tell. Who comes to this machine's own
/// http address gets one that is sent there.
/// </summary>
internal sealed class PublicCookie : CookieBuilder
{
    // In the session's properties, and in a request of it.
    private const string Mark = "secure";
    private readonly Uri address;

    /// <summary>A cookie of all our paths.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="settings">Has the public address.</param>
    public PublicCookie(string name, ServerSettings settings)
    {
        address = settings.Newsletter.BaseUrl;
        (Name, Path, HttpOnly, IsEssential, SecurePolicy) = (name, "/", true, true, CookieSecurePolicy.SameAsRequest);
    }

    /// <summary>Keeps with a session that its cookie is Secure: a request that renews it may not show it.</summary>
    public static void Note(IDictionary<string, string?> session) => session[Mark] = "";

    /// <summary>Takes over what a session says.</summary>
    public static void Recall(HttpContext context, IDictionary<string, string?> session)
    {
        if (session.ContainsKey(Mark)) context.Items[Mark] = true;
    }

    /// <inheritdoc/>
    public override CookieOptions Build(HttpContext context, DateTimeOffset expiresFrom)
    {
        var options = base.Build(context, expiresFrom);
        options.Secure |= address.Scheme == Uri.UriSchemeHttps && CameByTls(context);
        return options;
    }

    // The request's own Host would be an international name in Unicode; the header is as it came, in A-labels like our address.
    private bool CameByTls(HttpContext context) => new HostString(context.Request.Headers.Host.ToString()).Host.Equals(address.Host, StringComparison.OrdinalIgnoreCase)
        || context.Request.Headers.Origin == address.GetLeftPart(UriPartial.Authority)
        || context.Request.Path == OpenIdSignIn.CallbackPath // people are sent back to the public address
        || context.Items.ContainsKey(Mark);
}
