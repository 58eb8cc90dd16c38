using Microsoft.AspNetCore.Identity;
using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Server.Desk;

/// <summary>The editors who sign in with a password. Hashes are PBKDF2 with HMAC-SHA512, salted, as ASP.NET's password hasher writes them.</summary>
/// <param name="editors">Names and hashes, from settings.</param>
internal sealed class EditorPasswords(IReadOnlyList<EditorUser> editors)
{
    private static readonly PasswordHasher<string> Hasher = new();

    // Checked when a name is unknown, so that an answer takes as long as for a known one.
    private static readonly Lazy<string> Decoy = new(() => Hash(Guid.NewGuid().ToString()));

    /// <summary>Whether anybody has a password.</summary>
    public bool Any => editors.Count > 0;

    /// <summary>What goes into the settings for a password.</summary>
    public static string Hash(string password) => Hasher.HashPassword("", password);

    /// <summary>Whether an editor of this name is still in the settings; names are compared without regard to case.</summary>
    public bool Knows(string name) => Find(name) is not null;

    /// <summary>Checks a password.</summary>
    /// <returns>The editor's name as the settings write it, or null.</returns>
    public string? Check(string name, string password)
    {
        var editor = Find(name);
        var right = Matches(editor?.PasswordHash ?? Decoy.Value, password);
        return right ? editor?.Name : null;
    }

    private EditorUser? Find(string name) => editors.FirstOrDefault(editor => string.Equals(editor.Name, name, StringComparison.OrdinalIgnoreCase));

    private static bool Matches(string hash, string password)
    {
        try
        {
            return Hasher.VerifyHashedPassword("", hash, password) != PasswordVerificationResult.Failed;
        }
        catch (FormatException)
        {
            return false; // no hash at all: the settings' check says so, and nobody gets in by it
        }
    }
}
