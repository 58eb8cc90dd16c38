using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Publishing;

/// <summary>Keeps the database informed which relays are set aside or down, so that everybody can see it; reads and writes only what has changed.</summary>
/// <param name="sessions">Knows the relays of this process.</param>
/// <param name="store">Where it is noted.</param>
/// <param name="time">The clock.</param>
/// <param name="machine">This machine's name when several may send: the reason says where to look. Else null.</param>
internal sealed class RelayNotes(SessionPool sessions, IRelayStore store, TimeProvider time, string? machine)
{
    private Dictionary<string, (RelayAsideKind Kind, string Reason)>? noted;
    private int isUpdating;

    /// <summary>Notes what is new, unless another run is about to. A database that cannot be used now gets it with the next call.</summary>
    public async Task UpdateAsync(CancellationToken cancel)
    {
        if (Interlocked.Exchange(ref isUpdating, 1) != 0) return;
        try
        {
            noted ??= (await store.AsideAsync(cancel)).ToDictionary(aside => aside.Relay, aside => (aside.Kind, aside.Reason));
            foreach (var relay in sessions.Relays) await UpdateAsync(relay, noted, cancel);
        }
        catch (Exception failure) when (LedgerWriter.IsTrouble(failure))
        {
        }
        finally
        {
            Volatile.Write(ref isUpdating, 0);
        }
    }

    private async Task UpdateAsync(RelayState relay, Dictionary<string, (RelayAsideKind Kind, string Reason)> noted, CancellationToken cancel)
    {
        (RelayAsideKind Kind, string Reason)? before = noted.TryGetValue(relay.Name, out var found) ? found : null;
        var now = Now(relay, before);
        if (now == before) return;
        if (now is not { } trouble)
        {
            await store.TakeBackAsync(relay.Name, cancel);
            noted.Remove(relay.Name);
            return;
        }
        await store.NoteAsideAsync(new RelayAside(relay.Name, trouble.Kind, trouble.Reason, trouble.Kind == RelayAsideKind.Down ? relay.SilentSince : time.GetUtcNow()), cancel);
        noted[relay.Name] = trouble;
    }

    // What was noted stays until the relay has worked in this process; it is no longer set aside by then.
    private (RelayAsideKind Kind, string Reason)? Now(RelayState relay, (RelayAsideKind Kind, string Reason)? before)
    {
        if (relay.Refusal is { } refusal) return (RelayAsideKind.Aside, Blamed.On(machine, refusal));
        if (relay.Down is { } down) return (RelayAsideKind.Down, Blamed.On(machine, down));
        if (relay.HasAnswered || before is not { } noted) return null;
        return noted.Kind == RelayAsideKind.Aside ? (RelayAsideKind.Again, noted.Reason) : noted;
    }
}
