namespace WeeklyDigest.Deliveries;

/// <summary>Who claims, and until when.</summary>
/// <param name="Owner">Names one process for its lifetime: machine, process and a random part.</param>
/// <param name="Now">The time of the claim.</param>
/// <param name="LeaseUntil">When others may take the rows over.</param>
public sealed record Claimant(string Owner, DateTimeOffset Now, DateTimeOffset LeaseUntil);

/// <summary>How many rows of a receiving domain may be taken now.</summary>
/// <param name="Default">Rows of a domain that is not among the known ones.</param>
/// <param name="Known">Rows by domain.</param>
public sealed record DomainRooms(int Default, IReadOnlyDictionary<long, int> Known)
{
    /// <summary>As many as there are.</summary>
    public static DomainRooms Open { get; } = new(int.MaxValue, new Dictionary<long, int>());

    /// <summary>Rows of a domain.</summary>
    public int Of(long domain) => Known.GetValueOrDefault(domain, Default);
}

/// <summary>What to claim.</summary>
/// <param name="MailingId">The mailing.</param>
/// <param name="Count">At most so many rows; at least 1.</param>
/// <param name="Claimant">Who claims.</param>
public sealed record ClaimRequest(long MailingId, int Count, Claimant Claimant)
{
    /// <summary>Rows of a kind looked at in one claim, at most: some milliseconds.</summary>
    public const int MaxLook = 10_000;

    /// <summary>Pending rows of subscribers with a larger id only; 0 begins. Where the claim before stopped.</summary>
    public long After { get; init; }

    /// <summary>Which domains have room, and how much.</summary>
    public DomainRooms Rooms { get; init; } = DomainRooms.Open;

    /// <summary>Pending rows looked at, at most; 1 to 10,000, which is the default.</summary>
    public int Look { get; init; } = MaxLook;

    /// <summary>Whether rows that were tried before and are due are left alone: the domains without room here may have some elsewhere.</summary>
    public bool PendingOnly { get; init; }

    /// <summary>When due rows whose domain has no room are due again, should there be so many of them that they hide the others; after the claim's time.</summary>
    public DateTimeOffset PostponeTo { get; init; } = Claimant.Now.AddMinutes(5);
}

/// <summary>What was claimed.</summary>
/// <param name="Deliveries">The rows.</param>
/// <param name="Next">Where the next claim's pending rows begin, for <see cref="ClaimRequest.After"/>; 0 when the last one was reached.</param>
/// <param name="PassedOver">Whether rows were passed by whose domain has no room now; those of stopped domains do not count.</param>
/// <param name="Stopped">The domains that the mailing leaves alone.</param>
/// <param name="Looked">Pending rows that were looked at.</param>
public sealed record ClaimedRows(IReadOnlyList<Delivery> Deliveries, long Next, bool PassedOver, IReadOnlySet<long> Stopped, int Looked)
{
    /// <summary>For each domain of which pending rows were passed by for want of room, where a claim begins that comes to the first of them, for <see cref="ClaimRequest.After"/>.</summary>
    public IReadOnlyDictionary<long, long> Passed { get; init; } = new Dictionary<long, long>();
}
