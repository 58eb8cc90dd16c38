using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Smtp;

/// <summary>Where a dialogue with a relay stands.</summary>
internal enum DialogueStage
{
    /// <summary>Name resolution and the TCP connection.</summary>
    Connect,

    /// <summary>The TLS handshake.</summary>
    Tls,

    /// <summary>The relay's first words.</summary>
    Greeting,

    /// <summary>EHLO, HELO and STARTTLS.</summary>
    Hello,

    /// <summary>AUTH.</summary>
    Login,

    /// <summary>MAIL FROM.</summary>
    Sender,

    /// <summary>RCPT TO.</summary>
    Recipient,

    /// <summary>DATA.</summary>
    Data,

    /// <summary>The message itself; its end has not gone out.</summary>
    Body,

    /// <summary>The end has gone out: whether the message was taken, only the reply tells.</summary>
    FinalDot,
}

/// <summary>What is wrong with a relay.</summary>
internal enum RelayTrouble
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>It will pass: down, busy, going away.</summary>
    Transient,

    /// <summary>Only the operator can help: login, certificate, sender.</summary>
    Permanent,
}

/// <summary>What follows from a reply, or from its absence.</summary>
/// <param name="Result">What became of this message.</param>
/// <param name="Trouble">What it says about the relay.</param>
/// <param name="Refusal">What a rejection is about; where the relay is in trouble unless others are accepted, what it is about then.</param>
/// <param name="SlowDown">Whether the receiving domain asks for less at a time.</param>
internal readonly record struct Judgement(
    SendResult Result, RelayTrouble Trouble = RelayTrouble.None, Refusal Refusal = Refusal.None, bool SlowDown = false);

/// <summary>A line of the table.</summary>
/// <param name="Stages">Where it holds.</param>
/// <param name="Code">The reply code with x for any digit, <c>lost</c> for no reply (dropped, reset, timed out), <c>failed</c> for a failed handshake, <c>any</c> for any reply.</param>
/// <param name="Judgement">What follows.</param>
/// <param name="Reason">Why.</param>
internal sealed record ReplyRule(DialogueStage[] Stages, string Code, Judgement Judgement, string Reason)
{
    /// <summary>Enhanced codes (RFC 3463), x for any number, <c>none</c> for a reply without one; empty: whatever it is.</summary>
    public string[] Enhanced { get; init; } = [];

    /// <summary>Words of which one has to stand in the reply, lower case; empty: whatever it says.</summary>
    public string[] Words { get; init; } = [];

    /// <summary>Whether the line holds for a reply.</summary>
    public bool Fits(DialogueStage stage, ReplyWords reply) => Stages.Contains(stage) && reply.Has(Code) && reply.HasAnyCode(Enhanced) && reply.SaysAny(Words);
}
