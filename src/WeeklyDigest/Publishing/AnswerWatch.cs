namespace WeeklyDigest.Publishing;

/// <summary>One connection's wait for an answer. Under the watch's lock.</summary>
internal sealed class AnswerWait
{
    /// <summary>When the message was taken up, as a timestamp; 0 while none is, and less while the relay waits for us: how long it had been waited for.</summary>
    public long Since { get; set; }

    /// <summary>Answers that the relay had given by then; while it waits for us, less by those that it had given when that began.</summary>
    public long AnswersBefore { get; set; }

    /// <summary>When the relay came to owe the answer, as a timestamp: the message was handed over, or we went on after it had waited for us.</summary>
    public long OwedSince { get; set; }

    /// <summary>When it was seen first that one owed later has been given, as a timestamp; 0 before.</summary>
    public long PassedAt { get; set; }

    /// <summary>Whether it lasts too long.</summary>
    public bool IsStalled { get; set; }

    /// <summary>Whether one of this turn lasted too long: another connection goes on in its place. Decided before the wait is over, or not at all.</summary>
    public bool HasStandIn { get; set; }
}

/// <summary>
/// Tells which of a relay's connections are stalled: a recipient whose answer takes a minute must not hold up a connection's share of all
/// others for that minute.
/// </summary>
/// <remarks>
/// Stalled is who waits while every other connection got ten answers on average: that holds for fast relays and slow ones, and a relay that
/// pauses as a whole stalls nobody. When no connection gets an answer any more as fast as usual, the relay may be down or all may be stalled: then one counts
/// as stalled after ten times what an answer usually takes, two more after twice as long, and so on up to half of all, but not more than four, every two
/// seconds, so that others can find out. Where one of these gets its answer, the relay works, and whoever still waits has been passed over.
/// </remarks>
/// <param name="time">The clock.</param>
internal sealed class AnswerWatch(TimeProvider time)
{
    private const int AnswersOfOthers = 10;
    private const int UsualTimes = 10;
    private const int MostAtOnce = 4;
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(20);

    /// <summary>So long a relay may be silent as a whole, with a disk that is busy or the like.</summary>
    private static readonly TimeSpan Hiccup = TimeSpan.FromMilliseconds(150);

    /// <summary>The same for one that has never answered; and the longest pause between two that find out.</summary>
    private static readonly TimeSpan Stranger = TimeSpan.FromSeconds(2);

    /// <summary>What the first answer is taken to show at most: that recipient may be one whose answer takes a minute.</summary>
    private static readonly TimeSpan MostAtFirst = TimeSpan.FromMilliseconds(200);

    /// <summary>So many answers in a row that all took too long show that this is how long the relay takes: connections of their own would win nothing.</summary>
    private const int Agreeing = 3;

    /// <summary>What those are taken to show at most: a relay that was away for a minute answers late to all at once.</summary>
    private static readonly TimeSpan MostAgreed = TimeSpan.FromSeconds(3);

    private readonly Lock gate = new();
    private readonly UsualTime usual = new(1.05);
    private long answers;
    private long heardAt;
    private long latestOwed;
    private int stalled;
    private int late;
    private TimeSpan leastLate;
    private TimeSpan pause;
    private int batch = 1;
    private int allowed;

    /// <summary>Connections that are stalled.</summary>
    public int Stalled => Volatile.Read(ref stalled);

    /// <summary>A message is handed over.</summary>
    public void Begin(AnswerWait wait)
    {
        lock (gate)
        {
            (wait.Since, wait.AnswersBefore) = (time.GetTimestamp(), answers);
            Owe(wait);
        }
    }

    /// <summary>The relay has answered what was said of the message so far, and waits for us. One that is stalled stays so: another went on in its place.</summary>
    public void Suspend(AnswerWait wait)
    {
        lock (gate) (wait.Since, wait.AnswersBefore) = (wait.Since - time.GetTimestamp(), wait.AnswersBefore - answers);
    }

    /// <summary>The relay has to answer again, as if the time between had not been.</summary>
    public void Resume(AnswerWait wait)
    {
        lock (gate)
        {
            (wait.Since, wait.AnswersBefore) = (wait.Since + time.GetTimestamp(), wait.AnswersBefore + answers);
            Owe(wait);
        }
    }

    /// <summary>Its answer is there.</summary>
    public void End(AnswerWait wait)
    {
        lock (gate)
        {
            answers++;
            var took = time.GetElapsedTime(wait.Since);
            // One that took long itself does not show that the relay works as usual.
            if (took < Patience) Heard(wait);
            else Late(took);
            usual.Note(usual.Value == TimeSpan.Zero && took > MostAtFirst ? MostAtFirst : took);
            Over(wait);
        }
    }

    /// <summary>It was not asked after all: that says nothing of how fast it answers.</summary>
    public void Drop(AnswerWait wait)
    {
        lock (gate) Over(wait);
    }

    /// <summary>How long a wait has lasted; nothing while the relay waits for us.</summary>
    public TimeSpan WaitedFor(AnswerWait wait)
    {
        lock (gate) return wait.Since > 0 ? time.GetElapsedTime(wait.Since) : TimeSpan.Zero;
    }

    /// <summary>Looks whether a wait lasts too long.</summary>
    /// <param name="wait">The wait.</param>
    /// <param name="working">Connections that are out and not stalled.</param>
    /// <returns>Whether it became stalled now.</returns>
    public bool IsStalling(AnswerWait wait, int working)
    {
        lock (gate)
        {
            if (wait.Since <= 0 || wait.IsStalled || !LastsTooLong(wait, time.GetElapsedTime(wait.Since), working)) return false;
            (wait.IsStalled, wait.HasStandIn) = (true, true);
            stalled++;
            return true;
        }
    }

    private void Over(AnswerWait wait)
    {
        if (wait.IsStalled) stalled--;
        (wait.Since, wait.IsStalled) = (0, false);
    }

    private void Owe(AnswerWait wait) => (wait.OwedSince, wait.PassedAt) = (time.GetTimestamp(), 0);

    private TimeSpan Patience => usual.Value == TimeSpan.Zero ? Stranger : Longer(Hiccup, UsualTimes * usual.Value);

    private bool LastsTooLong(AnswerWait wait, TimeSpan waited, int working)
    {
        if (waited < Least) return false;
        if (answers - wait.AnswersBefore >= AnswersOfOthers * Math.Max(1, working - 1)) return true;
        return waited >= Patience && (IsPassed(wait) || IsToFindOut(wait, working));
    }

    // A relay that was silent as a whole needs a moment for all that it owes, and a longer one the longer it was.
    private bool IsPassed(AnswerWait wait)
    {
        if (latestOwed <= wait.OwedSince) return false;
        if (wait.PassedAt == 0) wait.PassedAt = time.GetTimestamp();
        return time.GetElapsedTime(wait.PassedAt) >= Longer(Longer(Least, 2 * usual.Value), time.GetElapsedTime(wait.OwedSince, wait.PassedAt) / 4);
    }

    private bool IsToFindOut(AnswerWait wait, int working)
    {
        var next = Longer(Patience, pause);
        if (time.GetElapsedTime(Math.Max(heardAt, wait.Since)) >= next)
        {
            (heardAt, pause) = (time.GetTimestamp(), 2 * next < Stranger ? 2 * next : Stranger);
            (allowed, batch) = (batch, Math.Clamp(Math.Min(working / 2, MostAtOnce), 1, 2 * batch));
        }
        if (allowed == 0) return false;
        allowed--;
        return true;
    }

    private void Heard(AnswerWait wait)
    {
        (heardAt, latestOwed) = (time.GetTimestamp(), Math.Max(latestOwed, wait.OwedSince));
        (pause, batch, allowed, late) = (TimeSpan.Zero, 1, 0, 0);
    }

    // Patience is twice as long as the shortest of them took, then.
    private void Late(TimeSpan took)
    {
        leastLate = late++ > 0 && leastLate < took ? leastLate : took;
        if (late >= Agreeing) usual.Raise(Shorter(leastLate / (UsualTimes / 2), MostAgreed));
    }

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
