using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Publishing;

/// <summary>Keeps the database informed which relays are set aside or down, so that everybody can see it; reads and writes only what has changed.</summary>
/// <param name="sessions">Knows the relays of this process.</param>
/// <param name="store">Where it is noted.</param>
/// <param name="time">The clock.</param>
/// <param name="machine">This machine's name when several may send: the reason says where to look. Else null.</param>
internal sealed class RelayNotes(SessionPool sessions, IRelayStore store, TimeProvider time, string? machine)
{
    /// <summary>What stands in the database is read again: another machine may have written over what this one noted, or taken it back.</summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromMinutes(1);

    /// <summary>
    /// So long what another machine noted is its own matter; after that it may be gone for good, and what works here counts. It notes it again if it is
    /// not: then this counts from there, for what it tells may have begun long before.
    /// </summary>
    private static readonly TimeSpan OthersMatter = TimeSpan.FromHours(1);

    private Dictionary<string, SeenNote>? noted;
    private readonly HashSet<string> takenBack = [];
    private long readAt;
    private int isUpdating;

    /// <summary>Notes what is new, unless another run is about to. A database that cannot be used now gets it with the next call.</summary>
    public async Task UpdateAsync(CancellationToken cancel)
    {
        if (Interlocked.Exchange(ref isUpdating, 1) != 0) return;
        try
        {
            foreach (var relay in sessions.Relays) await UpdateAsync(relay, await NotedAsync(cancel), cancel);
        }
        catch (Exception failure) when (LedgerWriter.IsTrouble(failure))
        {
        }
        finally
        {
            Volatile.Write(ref isUpdating, 0);
        }
    }

    private async Task<Dictionary<string, SeenNote>> NotedAsync(CancellationToken cancel)
    {
        if (noted is { } known && time.GetElapsedTime(readAt) < Fresh) return known;
        var before = noted;
        readAt = time.GetTimestamp();
        return noted = (await store.AsideAsync(cancel)).ToDictionary(note => note.Relay, note => before?.GetValueOrDefault(note.Relay) is { } seen && seen.Note == note ? seen : new SeenNote(note, readAt));
    }

    private async Task UpdateAsync(RelayState relay, Dictionary<string, SeenNote> known, CancellationToken cancel)
    {
        var before = known.GetValueOrDefault(relay.Name);
        var now = Now(relay, before);
        if (now == (before?.Note.Kind, before?.Note.Reason)) return;
        if (now is not ({ } kind, { } reason))
        {
            await store.TakeBackAsync(relay.Name, cancel);
            known.Remove(relay.Name);
            takenBack.Add(relay.Name);
            return;
        }
        var note = new RelayAside(relay.Name, kind, reason, kind == RelayAsideKind.Down ? relay.SilentSince : time.GetUtcNow());
        await store.NoteAsideAsync(note, cancel);
        known[relay.Name] = new SeenNote(note, time.GetTimestamp());
    }

    // What was noted stays until the relay has worked in this process; it is no longer set aside by then.
    private (RelayAsideKind? Kind, string? Reason) Now(RelayState relay, SeenNote? before)
    {
        if (relay.Refusal is { } refusal) return (RelayAsideKind.Aside, Blamed.On(machine, refusal));
        if (relay.Down is { } down) return (RelayAsideKind.Down, Blamed.On(machine, down));
        if (before is { } others && IsOthers(others)) return (others.Note.Kind, others.Note.Reason);
        if (relay.HasAnswered || before?.Note is not { } own) return (null, null);
        return (own.Kind == RelayAsideKind.Aside ? RelayAsideKind.Again : own.Kind, own.Reason);
    }

    private bool IsOthers(SeenNote seen)
    {
        if (machine is null || seen.Note.Reason.StartsWith(Blamed.On(machine, ""), StringComparison.Ordinal)) return false;
        return (takenBack.Contains(seen.Note.Relay) ? time.GetElapsedTime(seen.At) : time.GetUtcNow() - seen.Note.At) < OthersMatter;
    }

    /// <summary>A note, and when this process first saw it, as a timestamp.</summary>
    private sealed record SeenNote(RelayAside Note, long At);
}
