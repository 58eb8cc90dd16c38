using System.Collections.Concurrent;
using System.Globalization;
using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Publishing;

/// <summary>
/// Sees from the ledger when a relay refuses everybody, whichever process, run or mailing meets it: each of these may be too short to see it alone.
/// What follows for addresses from such refusals is taken back, until the relay accepts a message.
/// </summary>
/// <param name="writer">Reads and writes the ledger.</param>
/// <param name="sessions">The relays of this process.</param>
/// <param name="limit">So many refusals without a message that went otherwise are too many.</param>
/// <param name="onUncertain">What becomes of uncertain deliveries of those who are readmitted.</param>
/// <param name="time">The clock.</param>
internal sealed class RelayDoubts(LedgerWriter writer, SessionPool sessions, int limit, OnUncertain onUncertain, TimeProvider time)
{
    /// <summary>Refusals taken back in one transaction.</summary>
    private const int Portion = 1000;

    /// <summary>Of fewer, all may well be unknown users.</summary>
    private const int FewestOfAll = 5;

    private readonly ConcurrentDictionary<string, RelayAnswers> answers = new(StringComparer.Ordinal);

    /// <summary>Of what stands against relays of one mailing, those that said of at least five that there is no such address, and said the same of each; with what is wrong.</summary>
    public static IEnumerable<(string Relay, string Reason)> Everybody(IReadOnlyList<RelayRefusal> refusals)
        => from refusal in refusals
           where !refusal.IsPardoned
           group refusal by refusal.Relay into all
           where all.Count() >= FewestOfAll && IsAlike(all)
           select (all.Key, Words([.. all]));

    /// <summary>The same of all relays together, of a mailing that none of them accepted a message of: each said the same of everybody it was asked for. What was taken back already counts as well.</summary>
    /// <returns>What is wrong, or null.</returns>
    public static string? EverybodyTogether(IReadOnlyList<RelayRefusal> refusals)
        => refusals.Count >= FewestOfAll && refusals.GroupBy(refusal => refusal.Relay).All(IsAlike) ? Words(refusals) : null;

    /// <summary>Notes what a relay did with a message. In memory only: the ledger is told when it holds something against the relay.</summary>
    public void Note(string relay, SendResult result, DateTimeOffset now)
    {
        if (result is SendResult.Accepted or SendResult.Deferred) AnswersOf(relay).Note(result, now);
    }

    /// <summary>What goes into the ledger with a refusal of it.</summary>
    public RelayStanding StandingOf(string relay) => AnswersOf(relay).Standing(relay);

    /// <summary>A run has met a row that is too long: the relay is set aside, or, when there is no other, the mailing paused; the next look takes back what the ledger holds.</summary>
    public void SetAside(RelayState relay, string reason, RunStop stop)
    {
        if (!TrySetAside(relay, reason)) stop.RequestPause(reason);
    }

    /// <summary>The same for a row of which the ledger tells: of whichever machine.</summary>
    public void SetAsideForAll(RelayState relay, string reason, RunStop stop)
    {
        if (!TrySetAside(relay, reason)) stop.RequestPauseOfAll(reason);
    }

    /// <summary>Relays have refused everybody of a mailing together: it is paused, and the next look takes back what the ledger holds against each.</summary>
    public void Pause(IEnumerable<string> relays, string reason, RunStop stop)
    {
        foreach (var relay in relays) AnswersOf(relay).Discredit();
        stop.RequestPauseOfAll(reason);
    }

    /// <summary>Compares the ledger with what is known here: clears relays that work, sets aside those that too many were refused by, takes their refusals back.</summary>
    /// <param name="stop">Of the run that looks.</param>
    /// <param name="cancel">Stops waiting.</param>
    public async Task LookAsync(RunStop stop, CancellationToken cancel)
    {
        foreach (var doubt in await DoubtsAsync(cancel))
        {
            if (!doubt.IsPardoned && doubt.Refused >= limit && sessions.Relays.FirstOrDefault(relay => relay.Name == doubt.Relay) is { } bad) SetAsideForAll(bad, Words(doubt), stop);
            if (IsDiscredited(doubt)) await PardonAsync(doubt.Relay, cancel);
        }
    }

    /// <summary>Takes back what was refused over relays that are known to refuse everybody: a process that died may have left some.</summary>
    public async Task SweepAsync(CancellationToken cancel)
    {
        foreach (var doubt in await DoubtsAsync(cancel))
        {
            if (doubt.IsPardoned) await PardonAsync(doubt.Relay, cancel);
        }
    }

    private bool TrySetAside(RelayState relay, string reason)
    {
        AnswersOf(relay.Name).Discredit();
        return sessions.TrySetAside(relay, reason);
    }

    private bool IsDiscredited(RelayDoubt doubt)
        => doubt.IsPardoned || doubt.Refused >= limit || (answers.TryGetValue(doubt.Relay, out var known) && known.IsDiscredited);

    private async Task<IReadOnlyList<RelayDoubt>> DoubtsAsync(CancellationToken cancel)
    {
        var doubts = await writer.InTurnAsync(ledger => ledger.DoubtsAsync(CancellationToken.None)).WaitAsync(cancel);
        var forgotten = 0L;
        foreach (var relay in doubts.Select(doubt => doubt.Relay).Where(answers.ContainsKey))
            forgotten += await writer.InTurnAsync(ledger => ledger.TrustAsync(StandingOf(relay), CancellationToken.None)).WaitAsync(cancel);
        if (forgotten > 0) doubts = await writer.InTurnAsync(ledger => ledger.DoubtsAsync(CancellationToken.None)).WaitAsync(cancel);
        return [.. doubts.Where(doubt => doubt.Refused > 0)];
    }

    // Until none is left: who refuses one while this is done looks afterwards, and sees that others were taken back.
    private async Task PardonAsync(string relay, CancellationToken cancel)
    {
        while (await writer.InTurnAsync(ledger => ledger.PardonRelayAsync(relay, Portion, onUncertain, time.GetUtcNow(), CancellationToken.None)).WaitAsync(cancel) > 0)
        {
        }
        AnswersOf(relay).Settle();
    }

    private RelayAnswers AnswersOf(string relay) => answers.GetOrAdd(relay, static (_, clock) => new RelayAnswers(clock), time);

    // The code and what follows it, such as 550 5.1.1: the words after that may name the recipient.
    private static string Status(string reply) => reply.IndexOf(' ', Math.Min(4, reply.Length)) is > 0 and var end ? reply[..end] : reply;

    private static bool IsAlike(IEnumerable<RelayRefusal> refusals)
        => refusals.All(refusal => refusal.IsAddress) && refusals.Select(refusal => Status(refusal.Reply)).Distinct().Count() == 1;

    private static string Words(IReadOnlyList<RelayRefusal> refusals)
        => string.Create(CultureInfo.InvariantCulture, $"all {refusals.Count} recipients were refused; the last reply was: {refusals[^1].Reply.TrimEnd('.')}");

    private static string Words(RelayDoubt doubt)
        => string.Create(CultureInfo.InvariantCulture, $"{doubt.Refused} recipients in a row were refused, over several runs; the last reply was: {doubt.Reply?.TrimEnd('.')}");
}
