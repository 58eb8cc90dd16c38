using System.Security.Cryptography;

namespace WeeklyDigest.Server.Public;

/// <summary>The stylesheet and script of our own pages, kept in the program; their addresses change with their content, so browsers may keep them.</summary>
internal static class SiteFiles
{
    private static readonly byte[] StylesheetBytes = Read("site.css");
    private static readonly byte[] InboxScriptBytes = Read("inbox.js");

    /// <summary>Address of the stylesheet.</summary>
    public static readonly string Stylesheet = $"/site/{Fingerprint(StylesheetBytes)}/site.css";

    /// <summary>Address of the inbox's script: keyboard shortcuts.</summary>
    public static readonly string InboxScript = $"/site/{Fingerprint(InboxScriptBytes)}/inbox.js";

    /// <summary>Answers the files' addresses.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        Map(routes, Stylesheet, StylesheetBytes, "text/css; charset=utf-8");
        Map(routes, InboxScript, InboxScriptBytes, "text/javascript; charset=utf-8");
    }

    private static void Map(IEndpointRouteBuilder routes, string path, byte[] bytes, string type)
        => routes.MapMethods(path, [HttpMethods.Get, HttpMethods.Head], (HttpContext context) =>
        {
            context.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
            return Results.Bytes(bytes, type);
        }).AllowAnonymous();

    private static string Fingerprint(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes))[..12];

    private static byte[] Read(string name)
    {
        using var stream = typeof(SiteFiles).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The program lacks its resource {name}.");
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }
}
