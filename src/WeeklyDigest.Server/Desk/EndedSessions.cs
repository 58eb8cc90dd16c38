using System.Security.Claims;
using System.Security.Cryptography;
using Microsoft.AspNetCore.WebUtilities;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Server.Desk;

/// <summary>
/// Who has signed out, at whichever node. A cookie says who may enter, and a copy of it would still after the browser forgot its own: so
/// each sign-in has a number, and the hashes of those that ended are kept for good, as a cookie that is used is renewed for ever.
/// </summary>
/// <param name="database">Keeps them among the secrets.</param>
internal sealed class EndedSessions(Database database)
{
    /// <summary>The claim that holds the number.</summary>
    public const string Number = "session";

    private const int NumberBytes = 16;

    /// <summary>A new number.</summary>
    public static Claim NewNumber() => new(Number, WebEncoders.Base64UrlEncode(RandomNumberGenerator.GetBytes(NumberBytes)));

    /// <summary>Ends a session; when this returns, every node knows.</summary>
    /// <exception cref="StorageException">The database cannot be used; the session goes on.</exception>
    public async Task EndAsync(ClaimsPrincipal editor, CancellationToken cancel)
    {
        if (editor.FindFirstValue(Number) is { } number) await database.Mailings.SecretAsync(Name(number), () => [1], cancel);
    }

    /// <summary>Whether a session ended, or has no number, as of a version before. While the database cannot be asked nobody is thrown out.</summary>
    public async Task<bool> HasEndedAsync(ClaimsPrincipal editor, CancellationToken cancel)
    {
        if (editor.FindFirstValue(Number) is not { } number) return true;
        try
        {
            return await database.Mailings.HasSecretAsync(Name(number), cancel);
        }
        catch (StorageException)
        {
            return false;
        }
    }

    private static string Name(string number) => "signed-out/" + Convert.ToHexString(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(number)));
}
