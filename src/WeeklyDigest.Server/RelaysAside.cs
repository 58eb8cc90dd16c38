using System.Globalization;
using WeeklyDigest.Publishing;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Server;

/// <summary>Which relays of the settings are set aside or down, whichever process found that out.</summary>
/// <param name="store">Where it is noted.</param>
/// <param name="relays">The relays of the settings: of one that is no longer there nobody wants to hear.</param>
internal sealed class RelaysAside(IRelayStore store, IReadOnlyList<RelayOptions> relays)
{
    /// <summary>Reads them.</summary>
    public async Task<IReadOnlyList<RelayAside>> ReadAsync(CancellationToken cancel)
        => [.. (await store.AsideAsync(cancel)).Where(aside => relays.Any(relay => relay.Name == aside.Relay))];

    /// <summary>One in words.</summary>
    public static string Describe(RelayAside aside)
    {
        var since = string.Create(CultureInfo.InvariantCulture, $"{aside.At:yyyy-MM-dd HH:mm:ss zzz}");
        return aside.Kind switch
        {
            RelayAsideKind.Down => $"relay '{aside.Relay}' has answered nothing since {since}, as often as it was tried. {aside.Reason}",
            RelayAsideKind.Again => $"relay '{aside.Relay}' is to be tried again since {since}, and has had nothing to send yet. It was set aside: {aside.Reason}",
            _ => $"relay '{aside.Relay}' is set aside since {since}, until a mailing begins or is resumed, or the program starts again. {aside.Reason}",
        };
    }
}
