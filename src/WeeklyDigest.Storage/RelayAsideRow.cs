using WeeklyDigest.Publishing;

namespace WeeklyDigest.Storage;

/// <summary>A row of the query RelaysAside.</summary>
internal sealed class RelayAsideRow
{
    public required string Relay { get; init; }
    public required string Kind { get; init; }
    public required string Reason { get; init; }
    public long At { get; init; }

    /// <summary>The row as the pipeline has it.</summary>
    public RelayAside ToAside() => new(Relay, Codes.State<RelayAsideKind>(Kind), Reason, Codes.Time(At));
}
