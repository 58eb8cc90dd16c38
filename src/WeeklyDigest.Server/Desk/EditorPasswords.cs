using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Identity;
using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Server.Desk;

/// <summary>The editors who sign in with a password. Hashes are PBKDF2 with HMAC-SHA512, salted, as ASP.NET's password hasher writes them.</summary>
/// <param name="editors">Names and hashes, from settings.</param>
/// <param name="time">The clock.</param>
internal sealed class EditorPasswords(IReadOnlyList<EditorUser> editors, TimeProvider time) : IDisposable
{
    // A check is much work on purpose: however many ask, it takes no more of the machine than this.
    private const int MostAtOnce = 2;

    // Of one caller: the last of them waits for some seconds.
    private const int MostWaiting = 100;
    private const int MarkBytes = 12;

    private static readonly PasswordHasher<string> Hasher = new();

    // Checked when a name is unknown, so that an answer takes as long as for a known one.
    private static readonly Lazy<string> Decoy = new(() => Hash(Guid.NewGuid().ToString()));

    private static readonly TimeSpan Crowded = TimeSpan.FromSeconds(10);

    private readonly CallerLines lines = new(MostWaiting);

    private readonly SemaphoreSlim turns = new(MostAtOnce, MostAtOnce);

    // For each name of each caller, and nothing for the caller alone: behind a proxy all are one, and names that are none would keep the editors out.
    private readonly AttemptLimit attempts = new(allowed: 5, TimeSpan.FromMinutes(5), time);

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
    /// <param name="caller">Whose attempts are counted together.</param>
    /// <param name="name">The name.</param>
    /// <param name="password">The password.</param>
    /// <param name="cancel">Gives up the turn.</param>
    /// <returns>The editor; or nobody, and how long to wait when there were too many attempts, or too many of the caller's wait already.</returns>
    public async Task<(EditorUser? Editor, TimeSpan? Wait)> CheckAsync(string caller, string name, string password, CancellationToken cancel)
    {
        var key = caller + " " + name;
        using var place = await lines.EnterAsync(caller, cancel);
        if (place is null) return (null, Crowded);
        await turns.WaitAsync(cancel);
        try
        {
            // Not before the turn: whoever wants a name's attempts forgotten for ten thousand others has to wait for as many checks.
            if (attempts.Take(key) is { } wait) return (null, wait);
            var editor = Find(name);
            if (!Matches(editor?.PasswordHash ?? Decoy.Value, password) || editor is null) return (null, null);
            attempts.Clear(key);
            return (editor, null);
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
