using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Identity;
using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Server.Desk;

/// <summary>The editors who sign in with a password. Hashes are PBKDF2 with HMAC-SHA512, salted, as ASP.NET's password hasher writes them.</summary>
/// <param name="editors">Names and hashes, from settings.</param>
internal sealed class EditorPasswords(IReadOnlyList<EditorUser> editors) : IDisposable
{
    // A check is much work on purpose: however many ask, it takes no more of the machine than this.
    private const int MostAtOnce = 2;
    private const int MarkBytes = 12;

    private static readonly PasswordHasher<string> Hasher = new();

    // Checked when a name is unknown, so that an answer takes as long as for a known one.
    private static readonly Lazy<string> Decoy = new(() => Hash(Guid.NewGuid().ToString()));

    private readonly SemaphoreSlim turns = new(MostAtOnce, MostAtOnce);

    /// <summary>Whether anybody has a password.</summary>
    public bool Any => editors.Count > 0;

    /// <summary>What goes into the settings for a password.</summary>
    public static string Hash(string password) => Hasher.HashPassword("", password);

    /// <summary>Whether an editor of this name is still in the settings, with the same password; names are compared without regard to case.</summary>
    /// <param name="name">The name.</param>
    /// <param name="mark">What <see cref="MarkOf"/> said at the sign-in.</param>
    public bool Knows(string name, string? mark) => mark is not null && Find(name) is { } editor && mark == MarkOf(editor);

    /// <summary>Tells an editor's password from a later one, and nothing else of it.</summary>
    public static string MarkOf(EditorUser editor) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(editor.PasswordHash)).AsSpan(0, MarkBytes));

    /// <summary>Checks a password, when it is its turn.</summary>
    /// <returns>The editor, or null.</returns>
    public async Task<EditorUser?> CheckAsync(string name, string password, CancellationToken cancel)
    {
        await turns.WaitAsync(cancel);
        try
        {
            var editor = Find(name);
            return Matches(editor?.PasswordHash ?? Decoy.Value, password) ? editor : null;
        }
        finally
        {
            turns.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => turns.Dispose();

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
