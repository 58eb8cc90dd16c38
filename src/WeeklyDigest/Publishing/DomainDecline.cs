namespace WeeklyDigest.Publishing;

/// <summary>
/// How fast the open rows of a held back domain become fewer, from reading to reading, whichever process sends them; where that tells too little yet, what
/// its settings allow. A row that was put off counts as done: it was tried. But nothing is told of a domain that asks to be left alone and accepts nothing:
/// it may accept all the rest at once, or put all of it off.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class DomainDecline(TimeProvider time)
{
    /// <summary>One that accepts something as often as this is not shut, however often it asks for a pause.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly AttemptRate rate = new(time);
    private DomainRows? before;
    private long? acceptedAt;
    private bool isShut;
    private bool wasIdle = true;
    private long done;
    private double? told;

    /// <summary>Whether rows of it are in somebody's hands and none has been through for so long that nobody knows when they are.</summary>
    public bool StandsStill { get; private set; }

    /// <summary>Its rows in a second; null when nothing can be said.</summary>
    /// <param name="domain">The domain.</param>
    /// <param name="rows">Its open rows now.</param>
    /// <param name="usableFor">For how long the ledger could be used.</param>
    public double? Pace(HeldBackDomain domain, DomainRows rows, TimeSpan usableFor)
    {
        var made = before is null ? 0 : Math.Max(0, Math.Max(before.Open - rows.Open, before.Waiting - rows.Waiting));
        var isPaused = domain.PausedFor > TimeSpan.Zero;
        NoteShut(isPaused, before?.Open > rows.Open);
        var isIdle = isShut || (rows.Held == 0 && !isPaused);
        // Nobody was at it, or it accepted nothing, at the end or at the beginning: the time says nothing of its pace.
        if (wasIdle || (isIdle && made == 0)) rate.Restart();
        (before, done, wasIdle) = (rows, done + made, isIdle);
        if (usableFor < rate.Age) rate.LeaveOut(done);
        if (isPaused) rate.Excuse();
        var recent = rate.Recently(done);
        StandsStill = rows.Held > 0 && !isPaused && !isShut && recent.StandsStill(Gap(domain, rows));
        if (StandsStill || isShut) return null;
        if (recent.IsTold && IsEnough(recent, domain.Allowed)) return told = recent.Pace;
        return domain.HasRate ? domain.Allowed : told;
    }

    private void NoteShut(bool isPaused, bool hasAccepted)
    {
        if (hasAccepted) (acceptedAt, isShut) = (time.GetTimestamp(), false);
        else if (isPaused && !(acceptedAt is { } at && time.GetElapsedTime(at) <= Patience)) isShut = true;
    }

    // Those that are in somebody's hands do not wait for the limit any more, but for answers.
    private static TimeSpan Gap(HeldBackDomain domain, DomainRows rows)
    {
        var limit = domain.HasRate && rows.Pending > 0 ? TimeSpan.FromSeconds(1 / domain.Allowed) : TimeSpan.Zero;
        return limit > domain.AnswerTime ? limit : domain.AnswerTime;
    }

    // Also few are enough where the settings would have allowed enough of them.
    private static bool IsEnough(RecentAttempts recent, double allowed)
        => recent.Made >= RecentAttempts.Enough || allowed * recent.Span.TotalSeconds >= RecentAttempts.Enough;
}
