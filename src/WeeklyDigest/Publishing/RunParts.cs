using WeeklyDigest.Deliveries;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Publishing;

/// <summary>What the parts of one run share.</summary>
/// <param name="MailingId">The mailing.</param>
/// <param name="Owner">This process.</param>
/// <param name="Writer">Writes the ledger, for the whole process.</param>
/// <param name="Sessions">The connections of the process.</param>
/// <param name="Messages">The mailing's messages.</param>
/// <param name="Composer">Composes them.</param>
/// <param name="Verdicts">What outcomes mean.</param>
/// <param name="Lease">The lease on the run's rows.</param>
/// <param name="Meter">The balance while it runs.</param>
/// <param name="Tally">What this process has sent of the mailing.</param>
/// <param name="Stop">When to stop, and why.</param>
/// <param name="Failures">Refusals in a row by relay.</param>
/// <param name="Doubts">Refusals in a row by relay, as the ledger knows them.</param>
/// <param name="Refusals">Refusals in a row by receiving domain.</param>
/// <param name="Domains">What may go to which receiving domain now.</param>
/// <param name="Options">Leases, retries, pauses.</param>
/// <param name="Time">The clock.</param>
internal sealed record RunParts(
    long MailingId,
    ProcessOwner Owner,
    LedgerWriter Writer,
    SessionPool Sessions,
    MailingMessages Messages,
    MessageComposer Composer,
    DeliveryVerdicts Verdicts,
    ClaimLease Lease,
    ProgressMeter Meter,
    SentTally Tally,
    RunStop Stop,
    FailureRows Failures,
    RelayDoubts Doubts,
    DomainRefusals Refusals,
    DomainGate Domains,
    DeliveryOptions Options,
    TimeProvider Time);
