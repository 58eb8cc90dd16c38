using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Publishing;

/// <summary>
/// One receiving domain as this process sees it: how much of it is under way, and how much may be. Under the gate's lock; times are the gate's,
/// on the monotonic clock.
/// </summary>
/// <remarks>
/// A domain that has not answered yet, and one that answers slowly while others do not, gets a quarter of the connections at most; the slow one
/// a sixteenth while anybody else could use them. The only one that is here is held back by neither: nobody else has a use for the connections, and one recipient whose
/// answer takes minutes would keep all others waiting. A domain that asks for less (421, 4.7.x) gets half of what it had and wins it back message by message; while it accepts nothing in between, it
/// is left alone for a pause that doubles each time.
/// </remarks>
/// <param name="name">The domain.</param>
/// <param name="limits">What the settings allow.</param>
/// <param name="connections">The connections of the process.</param>
internal sealed class DomainPace(string name, DomainOptions limits, int connections)
{
    /// <summary>Slow: this many times the usual answer's time.</summary>
    private const int SlowFactor = 5;

    /// <summary>A slow one that has not answered for so many times its own answer's time has no place left that answers.</summary>
    private const int PatienceFactor = 3;

    /// <summary>Rows ready for one domain at most, unless it has no limit at all.</summary>
    private const int MostReady = 500;

    /// <summary>A rate allows what fell due within the last moments, so that nobody has to be woken for every single message.</summary>
    public static readonly TimeSpan Burst = TimeSpan.FromMilliseconds(20);

    private const double Unlimited = double.MaxValue;
    private static readonly TimeSpan NeverSlow = TimeSpan.FromMilliseconds(100);

    /// <summary>A moment in which nobody answers, or in which the disk keeps the ledger waiting, is no silence.</summary>
    private static readonly TimeSpan NeverSilent = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ReadyFor = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Forgotten = TimeSpan.FromMinutes(1);

    private readonly UsualTime typical = new(1.25);
    private double share = Unlimited;
    private TimeSpan? pause;
    private TimeSpan pausedUntil;
    private TimeSpan slowedAt = TimeSpan.MinValue;
    private TimeSpan nextAt;
    private TimeSpan lastAnswerAt;
    private int unanswered;
    private bool hasAnswered;
    private int readyUtf8;

    /// <summary>The domain.</summary>
    public string Name => name;

    /// <summary>Deliveries that have been taken to be sent.</summary>
    public int UnderWay { get; private set; }

    /// <summary>Deliveries that are claimed and wait.</summary>
    public int Ready { get; set; }

    /// <summary>How many of them need SMTPUTF8. Any thread.</summary>
    public int ReadyUtf8 => Volatile.Read(ref readyUtf8);

    private int Quarter => Math.Max(1, connections / 4);

    private int Sixteenth => Math.Max(1, connections / 16);

    /// <summary>Counts more of the ready ones, or less, that need SMTPUTF8. Any thread.</summary>
    public void CountUtf8(int more) => Interlocked.Add(ref readyUtf8, more);

    /// <summary>Until when it asked to be left alone; in the past when it did not.</summary>
    public TimeSpan PausedUntil => pausedUntil;

    /// <summary>Whether the settings limit its rate.</summary>
    public bool HasRate => limits.Interval > TimeSpan.Zero;

    /// <summary>When the clock lets the next one go.</summary>
    public TimeSpan OpensAt => pausedUntil > nextAt ? pausedUntil : nextAt;

    /// <summary>Whether another delivery may go now.</summary>
    /// <param name="now">The time.</param>
    /// <param name="usual">What an answer usually takes.</param>
    /// <param name="isAlone">Whether no other domain is here: then a first answer need not be waited for, and a slow one keeps nobody waiting.</param>
    /// <param name="yields">Whether a slow one leaves the connection to others.</param>
    public bool MayEnter(TimeSpan now, TimeSpan usual, bool isAlone, bool yields = false) => now >= OpensAt && UnderWay < Most(now, usual, isAlone, yields);

    /// <summary>How many more may go at this moment.</summary>
    /// <param name="now">The time.</param>
    /// <param name="usual">What an answer usually takes.</param>
    /// <param name="isAlone">Whether no other domain is here.</param>
    public int Free(TimeSpan now, TimeSpan usual, bool isAlone)
        => now < OpensAt ? 0 : Math.Max(0, Most(now, usual, isAlone) - UnderWay);

    /// <summary>Another one goes.</summary>
    public void Enter(TimeSpan now)
    {
        if (UnderWay++ == 0) lastAnswerAt = now;
        unanswered++;
        nextAt = (nextAt > now - Burst ? nextAt : now - Burst) + limits.Interval;
    }

    /// <summary>Whether one may still go in the place that it took.</summary>
    public bool IsFresh(TimeSpan now, TimeSpan entered) => !HasRate || now - entered <= RelayPace.FreshFor(limits.Interval);

    /// <summary>Exchanges the place of one that grew old before it was used.</summary>
    /// <param name="now">The time.</param>
    /// <param name="entered">When it went, or goes now.</param>
    /// <returns>How long until then; null when the next place is far: nothing was changed.</returns>
    public TimeSpan? Renew(TimeSpan now, ref TimeSpan entered)
    {
        if (IsFresh(now, entered)) return entered > now ? entered - now : TimeSpan.Zero;
        var next = OpensAt > now ? OpensAt : now;
        if (next - now > ReadyFor) return null;
        (entered, nextAt) = (next, (nextAt > next - Burst ? nextAt : next - Burst) + limits.Interval);
        return next - now;
    }

    /// <summary>One is over.</summary>
    /// <param name="now">The time.</param>
    /// <param name="entered">When it went.</param>
    /// <param name="outcome">What became of it; null when it was not handed over.</param>
    public void Leave(TimeSpan now, TimeSpan entered, SendOutcome? outcome)
    {
        UnderWay--;
        if (outcome is null or { Result: SendResult.NotStarted })
        {
            // It never went, as when the mailing was paused: that nobody answered is no silence.
            if (unanswered > 0) unanswered--;
            return;
        }
        typical.Note(now - entered);
        (lastAnswerAt, unanswered) = (now, 0);
        hasAnswered |= outcome.Result != SendResult.Unknown;
        if (outcome.SlowDown) SlowDown(now, entered);
        else if (outcome.Result == SendResult.Accepted) Recover();
    }

    /// <summary>Whether the domain is held back by anything but the number of connections.</summary>
    public bool IsLimited(TimeSpan now, TimeSpan usual) => !hasAnswered || now < OpensAt || Most(now, usual) < int.MaxValue;

    /// <summary>How many deliveries of it may wait, with those that do: what it can use within a second or so.</summary>
    public int Places(TimeSpan now, TimeSpan usual)
    {
        if (OpensAt - now > 2 * ReadyFor) return 0;
        var most = Most(now, usual);
        if (most == int.MaxValue && limits.Interval == TimeSpan.Zero) return int.MaxValue;
        var byPlace = typical.Value > TimeSpan.Zero ? most * (ReadyFor / typical.Value) : 0;
        var least = Math.Min(2.0 * most, MostReady);
        // After a pause that it asked for, few tell whether it takes more.
        var usable = pausedUntil > now ? least : Math.Clamp(byPlace, least, MostReady);
        return (int)(limits.Interval == TimeSpan.Zero ? usable : Math.Min(usable, 1 + ReadyFor / limits.Interval));
    }

    /// <summary>Whether nothing is lost when it is forgotten.</summary>
    public bool IsPlain(TimeSpan now, TimeSpan usual)
        => UnderWay == 0 && Ready == 0 && now >= OpensAt && (now - lastAnswerAt > Forgotten || (share == Unlimited && !IsSlow(usual)));

    /// <summary>Whether it has answered since a time.</summary>
    public bool HasAnswered(TimeSpan since) => hasAnswered && lastAnswerAt >= since;

    /// <summary>Messages per second that the settings allow; infinity without a limit.</summary>
    public double Allowed => HasRate ? 1 / limits.Interval.TotalSeconds : double.PositiveInfinity;

    /// <summary>What an answer of it usually takes; zero when unknown.</summary>
    public TimeSpan AnswerTime => typical.Value;

    /// <summary>Whether it takes its own time, for a limit, at its own wish or for its slow answers: not for having not answered yet.</summary>
    public bool IsHeldBack(TimeSpan now, TimeSpan usual) => HasRate || HasFewConnections || AsksForLess(now) || (hasAnswered && IsSlow(usual));

    /// <summary>What its places carry at the pace of its answers, once those are gone that are not held back; null when unknown, or when it is for the domain to say.</summary>
    public DomainRoom? Room(TimeSpan now, TimeSpan usual)
    {
        if (!hasAnswered || AsksForLess(now) || typical.Value == TimeSpan.Zero) return null;
        return new DomainRoom(PerSecond(Most(now, usual)), PerSecond(Most(now, usual, isAlone: true)));
    }

    private bool HasFewConnections => limits.Connections > 0 && limits.Connections < connections;

    private bool AsksForLess(TimeSpan now) => share != Unlimited || pausedUntil > now;

    private double PerSecond(int places) => Math.Min(places, connections) / typical.Value.TotalSeconds;

    private int Most(TimeSpan now, TimeSpan usual, bool isAlone = false, bool yields = false)
    {
        var most = limits.Connections > 0 ? limits.Connections : int.MaxValue;
        if (!hasAnswered) most = isAlone ? most : Math.Min(most, Math.Max(2, Quarter));
        else if ((!isAlone && now < SlowUntil(usual)) || IsSilent(now, usual)) most = Math.Min(most, yields ? Sixteenth : Quarter);
        return share < most ? Math.Max(1, (int)share) : most;
    }

    /// <summary>Until when it is held back for being slow; in the past when it is not. While it answers that lasts; where all that it may have waits for single recipients that take long, others are tried.</summary>
    public TimeSpan SlowUntil(TimeSpan usual)
    {
        if (!hasAnswered || !IsSlow(usual)) return TimeSpan.MinValue;
        var patience = PatienceFactor * typical.Value;
        return lastAnswerAt + (patience > NeverSilent ? patience : NeverSilent);
    }

    private bool IsSlow(TimeSpan usual) => typical.Value > SlowFactor * usual && typical.Value > NeverSlow;

    // It used to answer, and of the last ones that went none was answered: that single recipients take long is another matter.
    private bool IsSilent(TimeSpan now, TimeSpan usual)
    {
        var patience = 2 * SlowFactor * usual;
        return unanswered >= Math.Max(3, Quarter) && now - lastAnswerAt > (patience > NeverSilent ? patience : NeverSilent);
    }

    // Several that are told so at once count as one: only what went after the last time says something new.
    private void SlowDown(TimeSpan now, TimeSpan entered)
    {
        if (entered < slowedAt) return;
        share = Math.Max(1, Math.Min(share, Math.Min(connections, UnderWay + 1)) / 2);
        pause = pause is not { } before ? TimeSpan.Zero : before == TimeSpan.Zero ? FirstPause : before * 2 < LongestPause ? before * 2 : LongestPause;
        (slowedAt, pausedUntil) = (now, now + pause.Value);
    }

    private void Recover()
    {
        pause = null;
        if (share == Unlimited) return;
        share += 1 / share;
        if (share >= connections) share = Unlimited;
    }
}
