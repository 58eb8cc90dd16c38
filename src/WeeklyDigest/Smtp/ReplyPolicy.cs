using System.Globalization;
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
internal readonly record struct Judgement(SendResult Result, RelayTrouble Trouble);

/// <summary>A line of the table.</summary>
/// <param name="Stages">Where it holds.</param>
/// <param name="Code">The reply code with x for any digit, <c>lost</c> for no reply (dropped, reset, timed out), <c>any</c> for any reply.</param>
/// <param name="Enhanced">The enhanced code (RFC 3463) in full, or empty for any or none.</param>
/// <param name="Judgement">What follows.</param>
/// <param name="Reason">Why.</param>
internal sealed record ReplyRule(DialogueStage[] Stages, string Code, string Enhanced, Judgement Judgement, string Reason);

/// <summary>What a relay's answers mean: one table, read from the top, the first line that fits decides.</summary>
internal static class ReplyPolicy
{
    /// <summary>The code of a reply that did not come.</summary>
    public const int Lost = 0;

    private static readonly DialogueStage[] Opening =
        [DialogueStage.Connect, DialogueStage.Tls, DialogueStage.Greeting, DialogueStage.Hello, DialogueStage.Login];

    private static readonly DialogueStage[] Message =
        [DialogueStage.Recipient, DialogueStage.Data, DialogueStage.Body, DialogueStage.FinalDot];

    private static readonly Judgement RelayLater = new(SendResult.NotStarted, RelayTrouble.Transient);
    private static readonly Judgement RelayRefuses = new(SendResult.NotStarted, RelayTrouble.Permanent);
    private static readonly Judgement Accepted = new(SendResult.Accepted, RelayTrouble.None);
    private static readonly Judgement Later = new(SendResult.Deferred, RelayTrouble.None);
    private static readonly Judgement Rejected = new(SendResult.Rejected, RelayTrouble.None);
    private static readonly Judgement Unknown = new(SendResult.Unknown, RelayTrouble.None);

    /// <summary>The table.</summary>
    public static IReadOnlyList<ReplyRule> Rules { get; } =
    [
        new([DialogueStage.Tls], "lost", "", RelayRefuses, "A handshake that fails is a certificate or a protocol to be looked at; never go on in clear."),
        new(Opening, "lost", "", RelayLater, "The relay is down or cannot be reached."),
        new(Opening, "4xx", "", RelayLater, "The relay says later to everyone."),
        new(Opening, "any", "", RelayRefuses, "The relay refuses us: greeting, EHLO or login."),
        new([DialogueStage.Sender, .. Message], "530", "", RelayRefuses, "The relay wants a login first (RFC 4954 section 6)."),
        new([DialogueStage.Sender], "lost", "", RelayLater, "It went away before it heard of the recipient."),
        new([DialogueStage.Sender], "421", "", RelayLater, "The relay is closing (RFC 5321 section 3.8)."),
        new([DialogueStage.Sender], "4xx", "", Later, "This message has to wait; others may pass."),
        new([DialogueStage.Sender], "5xx", "5.6.7", Rejected, "This message's address needs SMTPUTF8 and the way ahead lacks it (RFC 6531 section 3.5)."),
        new([DialogueStage.Sender], "any", "", RelayRefuses, "The sender is refused, or the size: that holds for every recipient, and none is to blame."),
        new([DialogueStage.FinalDot], "2xx", "", Accepted, "The relay has the message."),
        new([DialogueStage.FinalDot], "lost", "", Unknown, "The relay may have the message or not; sending it again may make a second copy."),
        new(Message, "lost", "", Later, "The end of the message had not gone out, so nobody has it."),
        new(Message, "421", "", Later with { Trouble = RelayTrouble.Transient }, "The relay is closing; what it said was said of this message as well."),
        new(Message, "4xx", "", Later, "The relay says later (RFC 5321 section 4.2.1)."),
        new(Message, "5xx", "", Rejected, "The relay refuses this recipient or message for good."),
        new([DialogueStage.FinalDot], "any", "", Unknown, "No reply that belongs here; the end of the message is out."),
        new(Message, "any", "", Later, "No reply that belongs here; nothing has been taken."),
    ];

    /// <summary>Judges a reply.</summary>
    /// <param name="stage">Where it came, or failed to come.</param>
    /// <param name="code">The reply code, or <see cref="Lost"/>.</param>
    /// <param name="text">The reply's text, which may begin with an enhanced code.</param>
    public static Judgement Judge(DialogueStage stage, int code, string text)
        => Rules.First(rule => rule.Stages.Contains(stage) && FitsCode(rule.Code, code) && FitsEnhanced(rule.Enhanced, text)).Judgement;

    private static bool FitsCode(string pattern, int code) => pattern switch
    {
        "lost" => code == Lost,
        "any" => code != Lost,
        _ => Fits(pattern, code.ToString(CultureInfo.InvariantCulture)),
    };

    private static bool FitsEnhanced(string pattern, string text)
        => pattern.Length == 0 || pattern == text.TrimStart().Split(' ', 2)[0];

    private static bool Fits(string pattern, string code)
        => code.Length == pattern.Length && pattern.Zip(code).All(pair => pair.First == 'x' || pair.First == pair.Second);
}
