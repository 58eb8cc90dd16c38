using System.Collections.Immutable;

namespace WeeklyDigest.Publishing;

/// <summary>Who waits for a run. When the last one gives up, the run is drained; when the run has decided to end, nobody joins any more.</summary>
internal sealed class RunCallers(IProgress<DeliveryProgress>? first, Action drain)
{
    private readonly Lock gate = new();
    private ImmutableList<IProgress<DeliveryProgress>?> waiting = [first];
    private bool isClosed;

    /// <summary>Joins.</summary>
    /// <returns>False when the run ends: wait for its end and start another.</returns>
    public bool TryJoin(IProgress<DeliveryProgress>? progress)
    {
        lock (gate)
        {
            if (isClosed) return false;
            waiting = waiting.Add(progress);
            return true;
        }
    }

    /// <summary>Gives up waiting.</summary>
    /// <returns>Whether nobody waits any more; the run then drains.</returns>
    public bool Leave(IProgress<DeliveryProgress>? progress)
    {
        lock (gate)
        {
            waiting = waiting.Remove(progress);
            if (!waiting.IsEmpty) return false;
            isClosed = true;
        }
        drain();
        return true;
    }

    /// <summary>Nobody joins from here on.</summary>
    public void Close()
    {
        lock (gate) isClosed = true;
    }

    /// <summary>There is more to do after all: callers may join again, unless all have left.</summary>
    public void Reopen()
    {
        lock (gate) isClosed = waiting.IsEmpty;
    }

    /// <summary>Tells everybody.</summary>
    public void Report(DeliveryProgress progress)
    {
        foreach (var caller in waiting) caller?.Report(progress);
    }
}
