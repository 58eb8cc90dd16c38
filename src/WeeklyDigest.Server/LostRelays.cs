using System.Text;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Server;

/// <summary>
/// A ledger that has sent over a relay remembers that. Where no relay is set any more, the settings are not in their place, and the built-in inbox would take
/// what is meant for subscribers, who would be recorded as sent to.
/// </summary>
internal static class LostRelays
{
    /// <summary>The name under which the ledger keeps that it was sent from over a relay; its value is the relay's name.</summary>
    public const string Secret = "relay";

    /// <summary>Of what <c>doctor</c> says it.</summary>
    public const string Area = "relay";

    /// <summary>Remembers the relays that are set.</summary>
    /// <exception cref="RefusedException">None is set, and some were; says what to do.</exception>
    public static async Task RequireAsync(IMailingStore ledger, ServerSettings settings, CancellationToken cancel)
    {
        if (settings.Relays.Count > 0) await ledger.SecretAsync(Secret, () => Encoding.UTF8.GetBytes(settings.Relays[0].Name), cancel);
        else if (!settings.Inbox.TakesAll && await ledger.HasSecretAsync(Secret, cancel)) throw new RefusedException(Words(settings.File));
    }

    /// <summary>What is said.</summary>
    public static string Words(string settings)
        => $"No relay is set, and this ledger has sent over one: the built-in inbox would take what is meant for subscribers. Look whether {settings} is the right file, and whether the "
            + "environment sets Smtp__Relays__0__Host and the rest here too. To have the built-in inbox take everything from now on, set Inbox:TakesAll to true.";
}
