namespace WeeklyDigest.Publishing;

/// <summary>A receiving domain that gets less than the connections could carry, as this process sees it.</summary>
/// <param name="Id">The domain's key.</param>
/// <param name="Allowed">Messages per second that the settings allow each process; infinity without a limit.</param>
/// <param name="PausedFor">How long it is still left alone; zero when it is not.</param>
/// <param name="Room">What its places carry once the others are gone.</param>
internal sealed record HeldBackDomain(long Id, double Allowed, TimeSpan PausedFor, DomainRoom? Room)
{
    /// <summary>How long until the pause, or its limit, lets the next one go.</summary>
    public TimeSpan OpensIn { get; init; }

    /// <summary>What an answer of it usually takes; zero when unknown.</summary>
    public TimeSpan AnswerTime { get; init; }

    /// <summary>Whether the settings limit its rate.</summary>
    public bool HasRate => double.IsFinite(Allowed);
}

/// <summary>What the places of a domain carry at the pace of its answers, in messages per second of this process.</summary>
/// <param name="BesideOthers">Beside other domains that are held back.</param>
/// <param name="Alone">When nothing else is left.</param>
internal sealed record DomainRoom(double BesideOthers, double Alone);
