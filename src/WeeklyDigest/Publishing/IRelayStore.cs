using WeeklyDigest.Smtp;

namespace WeeklyDigest.Publishing;

/// <summary>
/// What all processes and nodes on one database know of the relays: their budgets, and which are set aside. A relay is known by its name.
/// Inverts the arrow from the pipeline to the storage.
/// </summary>
public interface IRelayStore
{
    /// <summary>
    /// Draws places of a relay's budget in one durable transaction: nobody else gets them, also when this process dies before it uses
    /// them. Times are counted by the database's clock where it has one.
    /// </summary>
    Task<RelayDraw> DrawAsync(string relay, RelayRates rates, int count, CancellationToken cancel);

    /// <summary>The relays that are set aside, or down.</summary>
    Task<IReadOnlyList<RelayAside>> AsideAsync(CancellationToken cancel);

    /// <summary>Notes that a relay is set aside or down.</summary>
    Task NoteAsideAsync(RelayAside aside, CancellationToken cancel);

    /// <summary>Notes that a relay works again.</summary>
    Task TakeBackAsync(string relay, CancellationToken cancel);
}

/// <summary>What is the matter with a relay.</summary>
public enum RelayAsideKind
{
    /// <summary>It is set aside.</summary>
    Aside,

    /// <summary>It was set aside, is to be tried again and was not asked for anything yet.</summary>
    Again,

    /// <summary>It is not set aside but answers nothing; it is tried again by itself.</summary>
    Down,
}

/// <summary>A relay that is set aside, or is to be tried again, or is down.</summary>
/// <param name="Relay">Its name.</param>
/// <param name="Kind">Which of these.</param>
/// <param name="Reason">Why, in its own words.</param>
/// <param name="At">Since when.</param>
public sealed record RelayAside(string Relay, RelayAsideKind Kind, string Reason, DateTimeOffset At);
