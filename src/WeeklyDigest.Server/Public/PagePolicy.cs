namespace WeeklyDigest.Server.Public;

/// <summary>What a browser may do with a page: its Content-Security-Policy, its Referrer-Policy, whether it may be kept. Set on endpoints as metadata.</summary>
/// <param name="ContentSecurityPolicy">The policy.</param>
/// <param name="Referrer">What a link from the page tells its target.</param>
/// <param name="Private">Not to be stored by anybody, nor listed by search engines.</param>
internal sealed record PagePolicy(string ContentSecurityPolicy, string Referrer, bool Private)
{
    private const string OwnPages =
        "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; ";

    /// <summary>Our own public pages; what no other policy is set for.</summary>
    public static readonly PagePolicy Site = new(OwnPages + "frame-ancestors 'none'", "same-origin", Private: false);

    /// <summary>Pages behind the sign-in, and the sign-in itself.</summary>
    public static readonly PagePolicy Desk = new(OwnPages + "frame-src 'self'; frame-ancestors 'none'", "same-origin", Private: true);

    /// <summary>Pages whose address holds a token: it must not leak through a referrer, a cache or a search engine.</summary>
    public static readonly PagePolicy Token = new(OwnPages + "frame-ancestors 'none'", "no-referrer", Private: true);

    /// <summary>The sign-in: as <see cref="Token"/>, but a browser says with a form from which origin it comes, and so whether it sees TLS.</summary>
    public static readonly PagePolicy SignIn = Token with { Referrer = "strict-origin" };

    /// <summary>An issue in the archive: its styles stand in the page, its pictures wherever the author took them from; no script.</summary>
    public static readonly PagePolicy Issue = new(
        "default-src 'none'; style-src 'unsafe-inline'; img-src https: http: data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
        "strict-origin-when-cross-origin",
        Private: false);

    /// <summary>A received message in the inbox's frame: nothing remote is loaded, nothing runs, it has no origin, and only our own pages may frame it.</summary>
    public static readonly PagePolicy Message = new(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; form-action 'none'; base-uri 'none'; "
        + "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox",
        "no-referrer",
        Private: true);

    /// <summary>Hangfire's dashboard: its pages and its chart library write style attributes; its scripts are files.</summary>
    public static readonly PagePolicy Dashboard = new(
        "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        "same-origin",
        Private: true);

    /// <summary>Writes the policy of the endpoint that was found, or <see cref="Site"/>, to every response. Belongs behind routing.</summary>
    public static Task Apply(HttpContext context, RequestDelegate next)
    {
        (context.GetEndpoint()?.Metadata.GetMetadata<PagePolicy>() ?? Site).Write(context.Response.Headers);
        return next(context);
    }

    /// <summary>Writes what holds for a page of our own words in place of one of an endpoint: after an exception nothing is left of what was written.</summary>
    public static void ApplyInPlaceOf(Endpoint? endpoint, HttpContext context)
        => (endpoint?.Metadata.GetMetadata<PagePolicy>() is { } policy ? Site with { Referrer = policy.Referrer, Private = policy.Private } : Site).Write(context.Response.Headers);

    private void Write(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = Referrer;
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        if (!ContentSecurityPolicy.Contains("frame-ancestors 'self'", StringComparison.Ordinal)) headers.XFrameOptions = "DENY";
        if (!Private) return;
        headers["X-Robots-Tag"] = "noindex, nofollow";
        headers.CacheControl = "no-store";
    }
}
