using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.WebUtilities;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Server.Desk;

/// <summary>
/// Sign-in links: each holds a secret of 256 random bits that lets one person in once. Only the secret's hash is kept: where nodes share a
/// database there, so that each lets in by the links of all; else in memory, where it dies with the process. <c>serve</c> prints a new link at each start.
/// </summary>
/// <param name="server">Knows the addresses we listen on.</param>
/// <param name="database">The database.</param>
/// <param name="time">The clock.</param>
internal sealed class SignIn(IServer server, Database database, TimeProvider time)
{
    /// <summary>How long a link can be used.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    private const int SecretBytes = 32;
    private readonly ConcurrentDictionary<string, DateTimeOffset> hashes = new(StringComparer.Ordinal);

    /// <summary>A new link, absolute, on the first address the server listens on. The server has to be running.</summary>
    public async Task<string> NewLinkAsync(CancellationToken cancel) => Origin() + "/sign-in?token=" + await NewSecretAsync(cancel);

    /// <summary>A new secret, good for one use within <see cref="Lifetime"/>.</summary>
    public async Task<string> NewSecretAsync(CancellationToken cancel)
    {
        var secret = WebEncoders.Base64UrlEncode(RandomNumberGenerator.GetBytes(SecretBytes));
        if (database.SignIns is { } shared) await shared.AddLinkAsync(Hash(secret), Lifetime, cancel);
        else Keep(Hash(secret));
        return secret;
    }

    /// <summary>Uses a secret up.</summary>
    /// <returns>Whether it was good; never twice, whoever asks at the same moment.</returns>
    // Looked up by its SHA-256, so how long a comparison takes tells nothing about the secret.
    public async Task<bool> TryUseAsync(string? secret, CancellationToken cancel)
    {
        if (secret is not { Length: > 0 and < 100 }) return false;
        return database.SignIns is { } shared ? await shared.UseLinkAsync(Hash(secret), cancel) : Take(Hash(secret));
    }

    private void Keep(string hash)
    {
        foreach (var (old, until) in hashes)
            if (until <= time.GetUtcNow()) hashes.TryRemove(old, out _);
        hashes[hash] = time.GetUtcNow() + Lifetime;
    }

    private bool Take(string hash) => hashes.TryRemove(hash, out var until) && until > time.GetUtcNow();

    private string Origin()
    {
        var address = server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? "http://127.0.0.1";
        return address.TrimEnd('/')
            .Replace("//[::]", "//127.0.0.1", StringComparison.Ordinal)
            .Replace("//0.0.0.0", "//127.0.0.1", StringComparison.Ordinal)
            .Replace("//+", "//127.0.0.1", StringComparison.Ordinal)
            .Replace("//*", "//127.0.0.1", StringComparison.Ordinal);
    }

    private static string Hash(string secret) => Convert.ToHexString(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(secret)));
}
