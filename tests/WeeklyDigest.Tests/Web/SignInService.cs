using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace WeeklyDigest.Tests.Web;

/// <summary>An OpenID Connect service on a free port that lets everybody in under the address it was told, and checks PKCE (RFC 7636).</summary>
internal sealed class SignInService : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly RsaSecurityKey key = new(RSA.Create(2048)) { KeyId = "one" };
    private readonly Dictionary<string, (string Nonce, string Challenge)> codes = [];

    private SignInService(WebApplication app) => this.app = app;

    public string Address => app.Urls.First();

    public string Email { get; set; } = "ada@example.com";

    public bool IsVerified { get; set; } = true;

    /// <summary>The address the service was asked to send people back to.</summary>
    public string? RedirectUri { get; private set; }

    public static async Task<SignInService> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrel().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        var service = new SignInService(builder.Build());
        service.Map();
        await service.app.StartAsync();
        return service;
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private void Map()
    {
        app.UseRouting();
        app.MapGet("/.well-known/openid-configuration", (HttpContext context) => WriteAsync(context, new
        {
            issuer = Address, authorization_endpoint = Address + "/authorize", token_endpoint = Address + "/token", jwks_uri = Address + "/keys",
            response_types_supported = new[] { "code" }, subject_types_supported = new[] { "public" }, id_token_signing_alg_values_supported = new[] { "RS256" },
        }));
        app.MapGet("/keys", (HttpContext context) =>
        {
            var parameters = key.Rsa.ExportParameters(false);
            return WriteAsync(context, new { keys = new[] { new { kty = "RSA", use = "sig", kid = "one", alg = "RS256", n = Base64UrlEncoder.Encode(parameters.Modulus), e = Base64UrlEncoder.Encode(parameters.Exponent) } } });
        });
        app.MapGet("/authorize", (HttpContext context) =>
        {
            var query = context.Request.Query;
            var code = Guid.NewGuid().ToString("N");
            codes[code] = (query["nonce"]!, query["code_challenge"]!);
            RedirectUri = query["redirect_uri"];
            context.Response.Redirect(QueryHelpers.AddQueryString(RedirectUri!, new Dictionary<string, string?> { ["code"] = code, ["state"] = query["state"] }));
        });
        app.MapPost("/token", TokenAsync);
    }

    private async Task TokenAsync(HttpContext context)
    {
        var form = await context.Request.ReadFormAsync();
        var known = codes.Remove(form["code"]!, out var asked);
        var challenge = Base64UrlEncoder.Encode(SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(form["code_verifier"]!)));
        if (!known || challenge != asked.Challenge || form["client_secret"] != "secret")
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }
        var token = new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
        {
            Issuer = Address, Audience = "digest", Expires = TimeProvider.System.GetUtcNow().UtcDateTime.AddMinutes(5),
            Claims = new Dictionary<string, object> { ["sub"] = "1", ["nonce"] = asked.Nonce, ["email"] = Email, ["email_verified"] = IsVerified },
            SigningCredentials = new SigningCredentials(key, SecurityAlgorithms.RsaSha256),
        });
        await WriteAsync(context, new { access_token = "none", token_type = "Bearer", id_token = token, expires_in = 300 });
    }

    private static Task WriteAsync(HttpContext context, object value)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(JsonSerializer.Serialize(value));
    }
}
