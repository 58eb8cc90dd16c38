using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Publishing;

/// <summary>Keeps the database informed which relays are set aside or down, so that everybody can see it; reads and writes only what has changed.</summary>
/// <param name="sessions">Knows the relays of this process.</param>
/// <param name="store">Where it is noted.</param>
/// <param name="time">The clock.</param>
internal sealed class RelayNotes(SessionPool sessions, IRelayStore store, TimeProvider time)
{
    private Dictionary<string, string>? noted;
    private int isUpdating;

    /// <summary>Notes what is new, unless another run is about to. A database that cannot be used now gets it with the next call.</summary>
    public async Task UpdateAsync(CancellationToken cancel)
    {
        if (Interlocked.Exchange(ref isUpdating, 1) != 0) return;
        try
        {
            noted ??= (await store.AsideAsync(cancel)).ToDictionary(aside => aside.Relay, aside => aside.Reason);
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

    // What was noted stays until the relay has worked in this process; it is no longer set aside by then.
    private async Task UpdateAsync(RelayState relay, Dictionary<string, string> noted, CancellationToken cancel)
    {
        var before = noted.GetValueOrDefault(relay.Name);
        var now = relay.Refusal ?? (relay.Down is { } down ? RelayAside.Down + down
            : relay.HasAnswered || before is null ? null
            : RelayAside.IsAgain(before) || RelayAside.IsDown(before) ? before
            : RelayAside.Again + before);
        if (now == before) return;
        await store.NoteAsideAsync(relay.Name, now, time.GetUtcNow(), cancel);
        if (now is null) noted.Remove(relay.Name);
        else noted[relay.Name] = now;
    }
}
