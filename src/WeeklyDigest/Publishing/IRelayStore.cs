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

    /// <summary>Notes that a relay is set aside or down, or, without a reason, that it works again.</summary>
    Task NoteAsideAsync(string relay, string? reason, DateTimeOffset at, CancellationToken cancel);
}

/// <summary>A relay that is set aside, or is to be tried again and was not asked for anything yet, or is down.</summary>
/// <param name="Relay">Its name.</param>
/// <param name="Reason">Why, in its own words.</param>
/// <param name="At">Since when.</param>
public sealed record RelayAside(string Relay, string Reason, DateTimeOffset At)
{
    /// <summary>How the reason of one begins that is to be tried again.</summary>
    public const string Again = "To be tried again; it was set aside: ";

    /// <summary>How the reason of one begins that is not set aside but answers nothing; it is tried again by itself.</summary>
    public const string Down = "It answers nothing: ";

    /// <summary>Whether it is only down.</summary>
    public static bool IsDown(string reason) => reason.StartsWith(Down, StringComparison.Ordinal);

    /// <summary>Whether it is to be tried again.</summary>
    public static bool IsAgain(string reason) => reason.StartsWith(Again, StringComparison.Ordinal);
}
