namespace WeeklyDigest.Publishing;

/// <summary>One connection's wait for an answer. Under the watch's lock.</summary>
internal sealed class AnswerWait
{
    /// <summary>When the message was taken up, as a timestamp; 0 while none is, and less while the relay waits for us: how long it had been waited for.</summary>
    public long Since { get; set; }

    /// <summary>Answers that the relay had given by then; while it waits for us, less by those that it had given when that began.</summary>
    public long AnswersBefore { get; set; }

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
/// pauses as a whole stalls nobody. When no connection gets an answer any more, the relay may be down or all may be stalled: then one at a
/// time counts as stalled, after two seconds, four, six and so on, so that another one can find out.
/// </remarks>
/// <param name="time">The clock.</param>
internal sealed class AnswerWatch(TimeProvider time)
{
    private const int AnswersOfOthers = 10;
    private const int UsualWaits = 5;
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan ByClock = TimeSpan.FromSeconds(2);

    private readonly Lock gate = new();
    private readonly UsualTime usual = new(1.05);
    private long answers;
    private int stalled;

    /// <summary>Connections that are stalled.</summary>
    public int Stalled => Volatile.Read(ref stalled);

    /// <summary>A message is handed over.</summary>
    public void Begin(AnswerWait wait)
    {
        lock (gate) (wait.Since, wait.AnswersBefore) = (time.GetTimestamp(), answers);
    }

    /// <summary>The relay has answered what was said of the message so far, and waits for us. One that is stalled stays so: another went on in its place.</summary>
    public void Suspend(AnswerWait wait)
    {
        lock (gate) (wait.Since, wait.AnswersBefore) = (wait.Since - time.GetTimestamp(), wait.AnswersBefore - answers);
    }

    /// <summary>The relay has to answer again, as if the time between had not been.</summary>
    public void Resume(AnswerWait wait)
    {
        lock (gate) (wait.Since, wait.AnswersBefore) = (wait.Since + time.GetTimestamp(), wait.AnswersBefore + answers);
    }

    /// <summary>Its answer is there.</summary>
    public void End(AnswerWait wait)
    {
        lock (gate)
        {
            answers++;
            usual.Note(time.GetElapsedTime(wait.Since));
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

    private bool LastsTooLong(AnswerWait wait, TimeSpan waited, int working)
    {
        if (waited < Least) return false;
        if (answers - wait.AnswersBefore >= AnswersOfOthers * Math.Max(1, working - 1)) return true;
        return waited >= ByClock * (1 + stalled) && waited >= UsualWaits * usual.Value;
    }
}
