using System.Collections.Concurrent;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Feedback;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Publishing;

/// <summary>What all runs of a process share.</summary>
/// <param name="Mailings">The mailings.</param>
/// <param name="Writer">Writes the ledger.</param>
/// <param name="Sessions">The connections.</param>
/// <param name="Relays">Says which relays are set aside.</param>
/// <param name="Resumptions">Which mailings were resumed.</param>
/// <param name="Tokens">Makes links and Message-IDs.</param>
/// <param name="Signer">Signs messages; null: they go out unsigned.</param>
/// <param name="Options">Leases, retries, pauses.</param>
/// <param name="Verdicts">What outcomes mean.</param>
/// <param name="Owner">This process.</param>
/// <param name="Machine">This machine's name when several may send a mailing; else null.</param>
/// <param name="Domains">What may go to which receiving domain now.</param>
/// <param name="Recover">Takes dead processes' rows back.</param>
/// <param name="Warn">Told what somebody should look at.</param>
/// <param name="Clock">Whether the clock was set.</param>
/// <param name="Time">The clock.</param>
internal sealed record RunEnvironment(
    IMailingStore Mailings,
    LedgerWriter Writer,
    SessionPool Sessions,
    RelayNotes Relays,
    Resumptions Resumptions,
    LinkTokens Tokens,
    DkimSigner? Signer,
    DeliveryOptions Options,
    DeliveryVerdicts Verdicts,
    ProcessOwner Owner,
    string? Machine,
    DomainGate Domains,
    Func<CancellationToken, Task> Recover,
    Action<string> Warn,
    ClockSteadiness Clock,
    TimeProvider Time)
{
    private readonly ConcurrentDictionary<long, SentTally> tallies = new();

    /// <summary>Which relays refuse everybody.</summary>
    public RelayDoubts Doubts { get; } = new(Writer, Sessions, Options.PauseAfterConsecutiveFailures, Options.OnUncertain, Time);

    /// <summary>Which other processes of this machine hold rows and are stopped.</summary>
    public StoppedSenders Stopped { get; } = new();

    /// <summary>Cuts waits that are longer than the schedule's.</summary>
    public FarAttempts FarAttempts { get; } = new(Writer, Options, Clock, Time);

    /// <summary>What this process has sent of a mailing.</summary>
    public SentTally TallyOf(long mailingId) => tallies.GetOrAdd(mailingId, id => new SentTally(Owner.ForRun(id), Writer, Time));
}
