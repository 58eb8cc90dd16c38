using System.Globalization;
using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Publishing;

/// <summary>
/// Decides for the whole process whether a delivery may go to its receiving domain now. Knows only the domains that have something under way
/// or ready, those in trouble, and some that answered lately: a hundred thousand domains of a list cost nothing.
/// </summary>
/// <param name="options">What the settings allow.</param>
/// <param name="connections">The connections of the process.</param>
/// <param name="time">The clock.</param>
internal sealed class DomainGate(IReadOnlyList<DomainOptions> options, int connections, TimeProvider time)
{
    /// <summary>Domains in trouble that are remembered while nothing of theirs is here.</summary>
    private const int MaxIdle = 10_000;

    /// <summary>Domains that are kept in mind although nothing is the matter with them.</summary>
    private const int MaxPlain = 1000;

    private const int MaxNamed = 3;

    /// <summary>
    /// So long a domain that answers well is no stranger. Were it one between two of its deliveries, little of it would be claimed at a time beside all
    /// of those that happen to have some under way, which would go first.
    /// </summary>
    private static readonly TimeSpan Lately = TimeSpan.FromSeconds(10);

    private readonly Lock gate = new();
    private readonly Dictionary<long, DomainPace> known = [];
    private readonly Dictionary<string, DomainOptions> byName = options.ToDictionary(one => one.Name, StringComparer.OrdinalIgnoreCase);
    private readonly UsualTime usual = new(1.05);
    private readonly long start = time.GetTimestamp();
    private int busy;

    /// <summary>Told when a domain that is held back, and has deliveries waiting, may have room again. Outside of the lock.</summary>
    public event Action? Opened;

    /// <summary>The domains that are paused, for people; null when there are none.</summary>
    public string? Notice
    {
        get
        {
            lock (gate)
            {
                var now = Now;
                var paused = known.Values.Where(domain => domain.PausedUntil > now).Take(MaxNamed + 1).ToList();
                if (paused.Count == 0) return null;
                var named = string.Join(", ", paused.Take(MaxNamed).Select(domain => Describe(domain, now)));
                return named + (paused.Count > MaxNamed ? " and others" : "") + (paused.Count == 1 ? " asks for less at a time." : " ask for less at a time.");
            }
        }
    }

    private TimeSpan Now => time.GetElapsedTime(start);

    // Whether no other domain has something under way or ready.
    private bool IsOneAlone => busy == 1;

    /// <summary>Counts a claimed delivery as ready.</summary>
    /// <returns>Its domain.</returns>
    public DomainPace Add(Delivery delivery)
    {
        lock (gate)
        {
            if (!known.TryGetValue(delivery.DomainId, out var domain)) known[delivery.DomainId] = domain = New(delivery.Recipient.Address.Domain);
            if (IsIdle(domain)) busy++;
            domain.Ready++;
            return domain;
        }
    }

    /// <summary>Ready deliveries are given back.</summary>
    public void Remove(long domainId, DomainPace domain, int deliveries)
    {
        lock (gate)
        {
            domain.Ready -= deliveries;
            Settle(domainId, domain);
        }
    }

    /// <summary>Lets a ready delivery go, when it may.</summary>
    /// <param name="domain">The domain.</param>
    /// <param name="yields">Whether a slow domain leaves the connection to others; false when none of them can use it.</param>
    /// <param name="entered">When it went, for <see cref="Leave"/>.</param>
    public bool TryEnter(DomainPace domain, bool yields, out TimeSpan entered)
    {
        lock (gate)
        {
            entered = Now;
            if (!domain.MayEnter(entered, usual.Value, IsOneAlone, yields)) return false;
            domain.Ready--;
            domain.Enter(entered);
            return true;
        }
    }

    /// <summary>Whether a delivery may still go in the place that it took in the domain's rate.</summary>
    public bool IsFresh(DomainPace domain, TimeSpan entered) => domain.IsFresh(Now, entered);

    /// <summary>
    /// Exchanges the place in the domain's rate of a delivery that was not handed over yet, when it grew old: used late, it would crowd those that
    /// went since.
    /// </summary>
    /// <param name="domain">The domain.</param>
    /// <param name="entered">When it went, or goes now.</param>
    /// <returns>How long until then; null when the next place is too far for a connection to wait.</returns>
    public TimeSpan? Renew(DomainPace domain, ref TimeSpan entered)
    {
        if (!domain.HasRate) return TimeSpan.Zero;
        lock (gate) return domain.Renew(Now, ref entered);
    }

    /// <summary>Whether one of these domains lets a delivery go now.</summary>
    /// <param name="domains">The domains.</param>
    /// <param name="opensIn">How long until the clock lets one of them go on; null when one may go now, or none waits for the clock.</param>
    public bool MayEnter(IEnumerable<DomainPace> domains, out TimeSpan? opensIn)
    {
        opensIn = null;
        lock (gate)
        {
            var now = Now;
            foreach (var domain in domains)
            {
                if (!domain.MayEnter(now, usual.Value, IsOneAlone))
                {
                    var opensAt = domain.OpensAt > now ? domain.OpensAt : domain.SlowUntil(usual.Value);
                    if (opensAt > now && !(opensAt - now >= opensIn)) opensIn = opensAt - now;
                    continue;
                }
                opensIn = null;
                return true;
            }
        }
        return false;
    }

    /// <summary>A delivery that went is over.</summary>
    /// <param name="domainId">The domain's key.</param>
    /// <param name="domain">The domain.</param>
    /// <param name="entered">When it went.</param>
    /// <param name="outcome">What became of it; null when it was not handed over.</param>
    public void Leave(long domainId, DomainPace domain, TimeSpan entered, SendOutcome? outcome)
    {
        bool isWaitedFor;
        lock (gate)
        {
            var now = Now;
            isWaitedFor = domain.Ready > 0 && domain.IsLimited(now, usual.Value);
            if (outcome is not (null or { Result: SendResult.NotStarted })) usual.Note(now - entered);
            domain.Leave(now, entered, outcome);
            Settle(domainId, domain);
        }
        if (isWaitedFor) Opened?.Invoke();
    }

    /// <summary>What may be claimed now.</summary>
    /// <param name="utf8Waits">Whether what needs SMTPUTF8 waits for another relay; it takes no room of the others of its domain then.</param>
    /// <param name="othersOnly">Whether nothing may be of domains that are held back.</param>
    public DomainRooms Rooms(bool utf8Waits = false, bool othersOnly = false)
    {
        lock (gate)
        {
            var now = Now;
            Tidy(now);
            var rooms = known.ToDictionary(entry => entry.Key, entry => IsClosed(entry.Value) ? 0 : RoomOf(entry.Value, now, utf8Waits));
            var stranger = New(DomainOptions.AnyOther);
            return new DomainRooms(IsClosed(stranger) ? 0 : stranger.Places(now, usual.Value), rooms);

            bool IsClosed(DomainPace domain) => othersOnly && IsShortOfPlaces(domain, now);
        }
    }

    /// <summary>How many of the ready deliveries of a domain it can use soon.</summary>
    public int UsableSoon(DomainPace domain)
    {
        lock (gate) return Math.Min(domain.Ready, domain.Places(Now, usual.Value));
    }

    /// <summary>How many more deliveries of a domain may go at this moment; none of one that is held back counts, which is to keep no others from being claimed.</summary>
    public int UsableNow(DomainPace domain)
    {
        lock (gate) return IsShortOfPlaces(domain, Now) ? 0 : domain.Free(Now, usual.Value, IsOneAlone);
    }

    /// <summary>
    /// How long until the first of the domains is tried again that asked to be left alone. Null when none did, or another waits for its rate alone: with
    /// that the run goes on as the settings have it.
    /// </summary>
    public TimeSpan? PausedFor()
    {
        lock (gate)
        {
            var now = Now;
            var waiting = known.Values.Where(domain => domain.OpensAt > now).ToList();
            return waiting.Count > 0 && waiting.All(domain => domain.PausedUntil > now) ? waiting.Min(domain => domain.PausedUntil) - now : null;
        }
    }

    /// <summary>The domains that the settings name with a limit.</summary>
    public IReadOnlyList<string> Limited { get; } = [.. options.Where(one => one.Name != DomainOptions.AnyOther && (one.Interval > TimeSpan.Zero || (one.Connections > 0 && one.Connections < connections))).Select(one => one.Name)];

    /// <summary>The domains that are held back in earnest: not strangers that have not answered yet.</summary>
    /// <param name="named">Those of <see cref="Limited"/> that there are. They come first, and also while nothing of theirs is here.</param>
    /// <param name="also">Others that are told of as well, as long as something of theirs is here.</param>
    /// <param name="most">So many; then those of which most is here.</param>
    public IReadOnlyList<HeldBackDomain> HeldBack(IReadOnlyList<(long Id, string Name)> named, IReadOnlySet<long> also, int most)
    {
        lock (gate)
        {
            var now = Now;
            var first = named.Select(one => (one.Id, Domain: known.GetValueOrDefault(one.Id) ?? New(one.Name))).ToList();
            var others = known.Where(entry => entry.Value.IsHeldBack(now, usual.Value) || also.Contains(entry.Key))
                .OrderByDescending(entry => entry.Value.Ready + entry.Value.UnderWay)
                .Select(entry => (Id: entry.Key, Domain: entry.Value));
            return [.. first.Concat(others).DistinctBy(one => one.Id).Take(most).Select(one => Tell(one.Id, one.Domain, now))];
        }
    }

    private HeldBackDomain Tell(long id, DomainPace domain, TimeSpan now)
        => new(id, domain.Allowed, Until(domain.PausedUntil, now), domain.Room(now, usual.Value)) { OpensIn = Until(domain.OpensAt, now), AnswerTime = domain.AnswerTime };

    private static TimeSpan Until(TimeSpan at, TimeSpan now) => at > now ? at - now : TimeSpan.Zero;

    // As many as there are stays that, however many of them are here already.
    private int RoomOf(DomainPace domain, TimeSpan now, bool utf8Waits)
    {
        var places = domain.Places(now, usual.Value);
        return places == int.MaxValue ? places : Math.Max(0, places - domain.Ready + (utf8Waits ? domain.ReadyUtf8 : 0));
    }

    private DomainPace New(string name)
        => new(name, byName.GetValueOrDefault(name) ?? byName.GetValueOrDefault(DomainOptions.AnyOther) ?? new DomainOptions(), connections);

    // A slow one that has long not been asked is not held back at the moment.
    private bool IsShortOfPlaces(DomainPace domain, TimeSpan now) => domain.IsHeldBack(now, usual.Value) && domain.Places(now, usual.Value) < int.MaxValue;

    private static bool IsIdle(DomainPace domain) => domain.UnderWay == 0 && domain.Ready == 0;

    private void Settle(long domainId, DomainPace domain)
    {
        if (!IsIdle(domain)) return;
        busy--;
        if (known.Count > MaxPlain && domain.IsPlain(Now, usual.Value)) known.Remove(domainId);
    }

    // Those in trouble as well, when there are too many of them: they begin as strangers again.
    private void Tidy(TimeSpan now)
    {
        var idle = known.Where(entry => IsIdle(entry.Value)).ToList();
        foreach (var (id, domain) in idle)
            if ((domain.IsPlain(now, usual.Value) && !domain.HasAnswered(now - Lately)) || idle.Count > MaxIdle) known.Remove(id);
    }

    private string Describe(DomainPace domain, TimeSpan now)
        => string.Create(CultureInfo.InvariantCulture, $"{domain.Name} (next try {time.GetLocalNow() + (domain.PausedUntil - now):HH:mm:ss})");
}
