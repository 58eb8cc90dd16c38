using System.Globalization;
using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Publishing;

/// <summary>Counts refusals (5xx) and lost answers in a row over all connections: a long row says that something is wrong with us, not with the recipients.</summary>
/// <param name="limit">The mailing pauses after so many.</param>
internal sealed class FailureRow(int limit)
{
    private int inARow;

    /// <summary>Notes an outcome.</summary>
    /// <returns>Why to pause, when the row has become too long; else null.</returns>
    public string? Note(SendOutcome outcome)
    {
        if (outcome.Result is SendResult.NotStarted) return null;
        if (outcome.Result is not (SendResult.Rejected or SendResult.Unknown))
        {
            Volatile.Write(ref inARow, 0);
            return null;
        }
        var count = Interlocked.Increment(ref inARow);
        return count >= limit
            ? string.Create(CultureInfo.InvariantCulture, $"{count} recipients in a row were {(outcome.Result is SendResult.Unknown ? "refused or left without an answer" : "refused")}; the last reply was: {outcome.Reply}")
            : null;
    }
}
