using System.Diagnostics.CodeAnalysis;
using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Publishing;

/// <summary>A delivery on its way, and where to report it.</summary>
/// <param name="Delivery">The delivery.</param>
/// <param name="Domain">Its receiving domain.</param>
/// <param name="Entered">When it passed the gate.</param>
internal sealed record TakenDelivery(Delivery Delivery, DomainPace Domain, TimeSpan Entered)
{
    /// <summary>When it passed the gate, or passes it after all.</summary>
    public TimeSpan Entered { get; set; } = Entered;
}

/// <summary>The claimed deliveries of one run: domains take turns, and one that may not go now keeps nobody waiting.</summary>
internal sealed class ReadyQueue : IDisposable
{
    /// <summary>Who waits for the clock is woken no more often than that; a domain's rate allows what came together meanwhile.</summary>
    private static readonly TimeSpan LeastPause = DomainPace.Burst;

    /// <summary>So many that wait for a relay that carries them hold up no other; more, and memory would not stay flat.</summary>
    private const int MaxPatient = 5000;

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

    /// <summary>How many of them need SMTPUTF8.</summary>
    public int CountUtf8
    {
        get
        {
            lock (access) return turns.Where(lane => lane.Key.NeedsSmtpUtf8).Sum(lane => lane.Deliveries.Count);
        }
    }

    /// <summary>Whether one may go.</summary>
    /// <param name="carriesUtf8">Whether it may be one that needs SMTPUTF8.</param>
    public bool HasAny(bool carriesUtf8 = true)
    {
        lock (access) return gate.MayEnter(Domains(carriesUtf8), out _);
    }

    /// <summary>Waits until one may go.</summary>
    /// <param name="cancel">Gives up waiting.</param>
    /// <param name="carriesUtf8">Whether it may be one that needs SMTPUTF8.</param>
    /// <returns>False when nothing goes any more.</returns>
    public async Task<bool> WaitAsync(CancellationToken cancel, bool carriesUtf8 = true)
    {
        while (Change(carriesUtf8) is { } change) await change.WaitAsync(cancel);
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
                node.Value.Count(1);
            }
            count += deliveries.Count;
        }
        if (deliveries.Count > 0) Wake();
    }

    /// <summary>Takes the next one that may go; of a slow domain beyond its small share only when nobody else has one.</summary>
    /// <param name="taken">The delivery.</param>
    /// <param name="carriesUtf8">Whether it may be one that needs SMTPUTF8. If not, those wait for another relay.</param>
    public bool TryTake([NotNullWhen(true)] out TakenDelivery? taken, bool carriesUtf8 = true)
    {
        lock (access) return TryTake(yields: true, carriesUtf8, out taken) || TryTake(yields: false, carriesUtf8, out taken);
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
            node.Value.Count(-1);
            count--;
            if (node.Value.Deliveries.Count > 0) turns.AddLast(node);
            else lanes.Remove(node.Value.Key);
            return true;
        }
        taken = null;
        return false;
    }

    /// <summary>How many may go now, and how many others there are: of domains that are held back, or have not answered yet.</summary>
    /// <param name="utf8Waits">Whether not every relay carries all. What waits for another does not count then, else the others would be claimed only after it.</param>
    public (int Free, int Waiting) Split(bool utf8Waits = false)
    {
        lock (access)
        {
            var (free, waiting, patient) = (0, 0, 0);
            foreach (var lane in turns)
            {
                var all = lane.Deliveries.Count;
                if (utf8Waits && lane.Key.NeedsSmtpUtf8) patient += all;
                else
                {
                    var usable = Math.Min(all, gate.UsableNow(lane.Domain));
                    (free, waiting) = (free + usable, waiting + all - usable);
                }
            }
            return (free + Math.Max(0, patient - MaxPatient), waiting);
        }
    }

    /// <summary>Takes everything out.</summary>
    public List<Delivery> TakeAll() => TakeOut(lane => lane.Deliveries.Count);

    /// <summary>Takes out what is of certain domains.</summary>
    public List<Delivery> TakeDomains(IReadOnlySet<long> domains) => TakeOut(lane => domains.Contains(lane.Key.DomainId) ? lane.Deliveries.Count : 0);

    /// <summary>Takes out what domains cannot use soon: far more than they have places for.</summary>
    /// <param name="utf8Waits">Whether not every relay carries all. What waits for another stays: it would be claimed again at once.</param>
    public List<Delivery> TakeSurplus(bool utf8Waits = false) => TakeOut(lane =>
    {
        if (utf8Waits && lane.Key.NeedsSmtpUtf8) return 0;
        var usable = gate.UsableSoon(lane.Domain);
        return lane.Deliveries.Count > 2 * usable ? lane.Deliveries.Count - usable : 0;
    });

    /// <summary>What to wait for before looking again; null when one may go, or none any more.</summary>
    private Task? Change(bool carriesUtf8)
    {
        lock (access)
        {
            if (isOver || gate.MayEnter(Domains(carriesUtf8), out var opensIn)) return null;
            // Others may wait for any: the clock wakes for whichever comes first.
            if (!carriesUtf8 && !gate.MayEnter(Domains(carriesUtf8: true), out var anyOpensIn)) opensIn = anyOpensIn;
            if (opensIn is { } wait) opening.Change(wait > LeastPause ? wait : LeastPause, Timeout.InfiniteTimeSpan);
            waitedFor ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return waitedFor.Task;
        }
    }

    private IEnumerable<DomainPace> Domains(bool carriesUtf8)
        => turns.Where(lane => carriesUtf8 || !lane.Key.NeedsSmtpUtf8).Select(lane => lane.Domain);

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
                node.Value.Count(from - taken.Count);
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

        /// <summary>Tells the domain how many more, or less, it has that need SMTPUTF8.</summary>
        public void Count(int more)
        {
            if (key.NeedsSmtpUtf8) domain.CountUtf8(more);
        }
    }
}
