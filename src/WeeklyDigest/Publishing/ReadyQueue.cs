using System.Diagnostics.CodeAnalysis;
using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Publishing;

/// <summary>A delivery on its way, and where to report it.</summary>
/// <param name="Delivery">The delivery.</param>
/// <param name="Domain">Its receiving domain.</param>
/// <param name="Entered">When it passed the gate.</param>
internal sealed record TakenDelivery(Delivery Delivery, DomainPace Domain, TimeSpan Entered);

/// <summary>The claimed deliveries of one run: domains take turns, and one that may not go now keeps nobody waiting.</summary>
internal sealed class ReadyQueue : IDisposable
{
    /// <summary>Who waits for the clock is woken no more often than that; a domain's rate allows what came together meanwhile.</summary>
    private static readonly TimeSpan LeastPause = DomainPace.Burst;

    private readonly Lock access = new();
    private readonly Dictionary<(long DomainId, bool NeedsSmtpUtf8), LinkedListNode<Lane>> lanes = [];
    private readonly LinkedList<Lane> turns = [];
    private readonly DomainGate gate;
    private readonly ITimer opening;
    private TaskCompletionSource? waitedFor;
    private bool isOver;
    private int count;

    /// <summary>An empty queue.</summary>
    /// <param name="gate">Who may go.</param>
    /// <param name="time">The clock.</param>
    public ReadyQueue(DomainGate gate, TimeProvider time)
    {
        this.gate = gate;
        opening = time.CreateTimer(_ => Wake(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        gate.Opened += Wake;
    }

    /// <summary>Deliveries in it.</summary>
    public int Count => Volatile.Read(ref count);

    /// <summary>Waits until one may go.</summary>
    /// <returns>False when nothing goes any more.</returns>
    public async Task<bool> WaitAsync(CancellationToken cancel)
    {
        while (Change() is { } change) await change.WaitAsync(cancel);
        return !Volatile.Read(ref isOver);
    }

    /// <summary>From now on nothing goes any more.</summary>
    public void End()
    {
        lock (access) isOver = true;
        Wake();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        gate.Opened -= Wake;
        opening.Dispose();
    }

    /// <summary>Adds what was claimed.</summary>
    public void Add(IReadOnlyList<Delivery> deliveries)
    {
        lock (access)
        {
            foreach (var delivery in deliveries)
            {
                var domain = gate.Add(delivery);
                var key = (delivery.DomainId, delivery.Recipient.Address.NeedsSmtpUtf8);
                if (!lanes.TryGetValue(key, out var node)) lanes[key] = node = turns.AddLast(new Lane(key, domain));
                node.Value.Deliveries.Enqueue(delivery);
            }
            count += deliveries.Count;
        }
        if (deliveries.Count > 0) Wake();
    }

    /// <summary>Takes the next one that may go; of a slow domain beyond its small share only when nobody else has one.</summary>
    /// <param name="taken">The delivery.</param>
    /// <param name="carriesUtf8">Whether it may be one that needs SMTPUTF8. If not, those are left to other relays as long as there is anything else.</param>
    public bool TryTake([NotNullWhen(true)] out TakenDelivery? taken, bool carriesUtf8 = true)
    {
        lock (access) return TryTake(yields: true, carriesUtf8, out taken) || TryTake(yields: false, carriesUtf8, out taken) || (!carriesUtf8 && TryTake(yields: false, true, out taken));
    }

    private bool TryTake(bool yields, bool carriesUtf8, [NotNullWhen(true)] out TakenDelivery? taken)
    {
        for (var left = turns.Count; left > 0; left--)
        {
            var node = turns.First!;
            turns.RemoveFirst();
            if ((node.Value.Key.NeedsSmtpUtf8 && !carriesUtf8) || !gate.TryEnter(node.Value.Domain, yields, out var entered))
            {
                turns.AddLast(node);
                continue;
            }
            taken = new TakenDelivery(node.Value.Deliveries.Dequeue(), node.Value.Domain, entered);
            count--;
            if (node.Value.Deliveries.Count > 0) turns.AddLast(node);
            else lanes.Remove(node.Value.Key);
            return true;
        }
        taken = null;
        return false;
    }

    /// <summary>How many can be used soon.</summary>
    public int Usable()
    {
        lock (access) return turns.Sum(lane => Math.Min(lane.Deliveries.Count, gate.Usable(lane.Domain)));
    }

    /// <summary>Takes everything out.</summary>
    public List<Delivery> TakeAll() => TakeOut(lane => lane.Deliveries.Count);

    /// <summary>Takes out what is of certain domains.</summary>
    public List<Delivery> TakeDomains(IReadOnlySet<long> domains) => TakeOut(lane => domains.Contains(lane.Key.DomainId) ? lane.Deliveries.Count : 0);

    /// <summary>Takes out what domains cannot use soon: far more than they have places for.</summary>
    public List<Delivery> TakeSurplus() => TakeOut(lane =>
    {
        var usable = gate.Usable(lane.Domain);
        return lane.Deliveries.Count > 2 * usable ? lane.Deliveries.Count - usable : 0;
    });

    /// <summary>What to wait for before looking again; null when one may go, or none any more.</summary>
    private Task? Change()
    {
        lock (access)
        {
            if (isOver || gate.MayEnter(turns.Select(lane => lane.Domain), out var opensIn)) return null;
            if (opensIn is { } wait) opening.Change(wait > LeastPause ? wait : LeastPause, Timeout.InfiniteTimeSpan);
            waitedFor ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return waitedFor.Task;
        }
    }

    private void Wake()
    {
        TaskCompletionSource? waiting;
        lock (access) (waiting, waitedFor) = (waitedFor, null);
        waiting?.SetResult();
    }

    private List<Delivery> TakeOut(Func<Lane, int> howMany)
    {
        var taken = new List<Delivery>();
        lock (access)
        {
            foreach (var node in lanes.Values.ToList())
            {
                var from = taken.Count;
                for (var left = howMany(node.Value); left > 0; left--) taken.Add(node.Value.Deliveries.Dequeue());
                if (taken.Count == from) continue;
                gate.Remove(node.Value.Key.DomainId, node.Value.Domain, taken.Count - from);
                if (node.Value.Deliveries.Count > 0) continue;
                lanes.Remove(node.Value.Key);
                turns.Remove(node);
            }
            count -= taken.Count;
        }
        return taken;
    }

    /// <summary>The deliveries of one domain: those that every relay carries, or those that need SMTPUTF8.</summary>
    private sealed class Lane((long DomainId, bool NeedsSmtpUtf8) key, DomainPace domain)
    {
        public (long DomainId, bool NeedsSmtpUtf8) Key => key;

        public DomainPace Domain => domain;

        public Queue<Delivery> Deliveries { get; } = new();
    }
}
