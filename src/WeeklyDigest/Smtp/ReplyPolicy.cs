using System.Collections.Immutable;
using WeeklyDigest.Deliveries;
using static WeeklyDigest.Smtp.DialogueStage;

namespace WeeklyDigest.Smtp;

/// <summary>What a relay's answers mean: one table, read from the top, the first line that fits decides. docs/replies.md is made from it.</summary>
internal static class ReplyPolicy
{
    /// <summary>The code of a reply that did not come.</summary>
    public const int Lost = 0;

    /// <summary>The code of a TLS handshake that came to its end and failed.</summary>
    public const int NoHandshake = -1;

    private static readonly DialogueStage[] Opening = [Connect, Tls, Greeting, Hello, Login];
    private static readonly DialogueStage[] Message = [Recipient, Data, Body, FinalDot];
    private static readonly DialogueStage[] SenderOrMessage = [Sender, .. Message];

    private static readonly Judgement RelayLater = new(SendResult.NotStarted, RelayTrouble.Transient);
    private static readonly Judgement RelayRefuses = new(SendResult.NotStarted, RelayTrouble.Permanent);
    private static readonly Judgement RelayRefusesOrDomain = new(SendResult.NotStarted, RelayTrouble.Permanent, Refusal.Policy);
    private static readonly Judgement RelayRefusesOrLacks = new(SendResult.NotStarted, RelayTrouble.Permanent, Refusal.Other);
    private static readonly Judgement Accepted = new(SendResult.Accepted);
    private static readonly Judgement Later = new(SendResult.Deferred);
    private static readonly Judgement LaterAndLess = new(SendResult.Deferred, SlowDown: true);
    private static readonly Judgement Unknown = new(SendResult.Unknown);
    private static readonly Judgement NoSuchAddress = new(SendResult.Rejected, Refusal: Refusal.Address);
    private static readonly Judgement MailboxRefuses = new(SendResult.Rejected, Refusal: Refusal.Mailbox);
    private static readonly Judgement NotWanted = new(SendResult.Rejected, Refusal: Refusal.Policy);
    private static readonly Judgement Rejected = new(SendResult.Rejected, Refusal: Refusal.Other);

    private static readonly string[] Greylisting = ["greylist", "graylist", "grey-list", "gray-list", "grey list", "gray list"];

    private static readonly string[] SenderRefused = ["sender address rejected", "sender rejected", "sender refused", "sender denied"];

    private static readonly string[] Policy =
    [
        "spam", "blocked", "blocklist", "block list", "block-list", "blacklist", "black list", "black-list", "denylist", "dnsbl", "rbl", "is listed",
        "dmarc", "dkim", "spf", "policy", "policies", "content", "virus", "malware", "phish", "unsolicited", "bulk", "reputation", "abuse",
        "not authorized", "not authorised", "unauthenticated", "authentication", "not allowed", "prohibited", "banned", "sender address",
        "sender domain", "sender verif", "sending domain", "too many connections", "too many errors", "rate limit",
    ];

    private static readonly string[] PolicyWhereNothingElseIsSaid = ["access denied", "message size", "too large", "too big", "size limit", "too many"];

    private static readonly string[] NobodyThere =
    [
        "user unknown", "unknown user", "no such user", "user not found", "unknown recipient", "recipient unknown", "no such recipient",
        "recipient not found", "no such mailbox", "mailbox not found", "unknown mailbox", "mailbox unknown", "no mailbox", "invalid mailbox",
        "invalid recipient", "invalid address", "no such address", "unknown address", "address unknown", "unknown local", "not a valid mailbox",
        "does not exist", "doesn't exist", "does not have a", "doesn't have a", "not a known user", "not our customer", "no longer available here",
    ];

    private static readonly string[] MailboxClosed =
        ["mailbox full", "mailbox is full", "quota", "exceeded storage", "out of storage", "mailbox disabled", "account disabled", "is disabled", "inactive"];

    // Codes that say nothing of their own: then the words count.
    private static readonly string[] Vague = ["none", "5.0.0", "5.1.0", "5.5.0"];

    /// <summary>The table.</summary>
    public static ImmutableArray<ReplyRule> Rules { get; } =
    [
        new([Tls], "failed", RelayRefuses, "A certificate or a protocol to be looked at; never go on in clear."),
        new(Opening, "lost", RelayLater, "The relay is down or cannot be reached."),
        new(Opening, "4xx", RelayLater, "The relay says later to everyone."),
        new(Opening, "any", RelayRefuses, "The relay refuses us: greeting, EHLO or login."),

        new(SenderOrMessage, "530", RelayRefuses, "The relay wants a login first (RFC 4954 section 6)."),
        new([Sender], "lost", RelayLater, "It went away before it heard of the recipient."),
        new([Sender], "421", RelayLater, "The relay is closing (RFC 5321 section 3.8)."),
        new([Sender], "4xx", LaterAndLess, "A matter of policy or pace. While another relay works, that one takes the message, and this one rests.") { Enhanced = ["4.7.x"] },
        new([Sender], "4xx", Later, "This message has to wait; others may pass. While another relay works, that one takes it, and this one rests."),
        new([Sender], "5xx", Rejected, "This message's address needs SMTPUTF8 and the way ahead lacks it (RFC 6531 section 3.5).") { Enhanced = ["5.6.7"] },
        new([Sender], "555", RelayRefusesOrLacks, "The relay does not know a parameter that it has announced: SMTPUTF8, where the message has it (RFC 5321 section 4.1.1.11)."),
        new([Sender], "504", RelayRefusesOrLacks, "The same (RFC 5321 section 4.2.4)."),
        new([Sender], "5xx", RelayRefusesOrLacks, "The same as an enhanced code.") { Enhanced = ["5.5.4"] },
        new([Sender], "any", RelayRefuses, "The sender is refused, or the size: that holds for every recipient, and none is to blame."),

        new([FinalDot], "2xx", Accepted, "The relay has the message."),
        new([FinalDot], "lost", Unknown, "The relay may have the message or not; sending it again may make a second copy. The reply is awaited for 10 minutes (RFC 5321 section 4.5.3.2.6)."),
        new(Message, "lost", Later, "Refused, reset or timed out before the end of the message had gone out: nobody has it."),

        new(Message, "421", LaterAndLess, "The receiving side has enough of us for now and closes; what it said was said of this message as well."),
        new(Message, "4xx", Later, "Greylisting wants everybody to come back once; less at a time would only take longer.") { Words = Greylisting },
        new(Message, "4xx", LaterAndLess, "A matter of policy or pace: the receiving domain gets less at a time.") { Enhanced = ["4.7.x"] },
        new(Message, "4xx", Later, "The relay says later (RFC 5321 section 4.2.1)."),

        new([Recipient], "5xx", RelayRefusesOrDomain, "Many servers look at the sender only here, and then it holds for every recipient; others pass on what the receiving domain says. What the relay accepts meanwhile tells.") { Enhanced = ["5.1.7", "5.1.8"] },
        new([Recipient], "5xx", RelayRefusesOrDomain, "The same in words.") { Words = SenderRefused },
        new(Message, "5xx", NotWanted, "We, the content or its size are not wanted; the address may be good.") { Enhanced = ["5.7.x", "5.6.x", "5.3.4"] },
        new(Message, "5xx", NotWanted, "The same in words; they outweigh a code that blames the address.") { Words = Policy },
        new(Message, "5xx", NoSuchAddress, "The address does not exist.") { Enhanced = ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"] },
        new(Message, "5xx", MailboxRefuses, "The mailbox is there but takes nothing: full, disabled, closed to lists.") { Enhanced = ["5.2.x"] },
        new(Message, "5xx", NoSuchAddress, "The same in words.") { Enhanced = Vague, Words = NobodyThere },
        new(Message, "5xx", MailboxRefuses, "A mailbox that takes nothing, in words.") { Enhanced = Vague, Words = MailboxClosed },
        new(Message, "5xx", NotWanted, "Said of us, where no code says that they are said of an address or a mailbox.") { Enhanced = Vague, Words = PolicyWhereNothingElseIsSaid },
        new(Message, "5xx", Rejected, "The relay refuses this recipient or message for good."),

        new([FinalDot], "any", Unknown, "No reply that belongs here; the end of the message is out."),
        new(Message, "any", Later, "No reply that belongs here; nothing has been taken."),
    ];

    /// <summary>Judges a reply.</summary>
    /// <param name="stage">Where it came, or failed to come.</param>
    /// <param name="code">The reply code, or <see cref="Lost"/>.</param>
    /// <param name="text">The reply's text, which may begin with an enhanced code.</param>
    public static Judgement Judge(DialogueStage stage, int code, string text) => RuleFor(stage, code, text).Judgement;

    /// <summary>The line that decides.</summary>
    internal static ReplyRule RuleFor(DialogueStage stage, int code, string text)
    {
        var reply = new ReplyWords(code, text);
        foreach (var rule in Rules)
            if (rule.Fits(stage, reply)) return rule;
        throw new ArgumentOutOfRangeException(nameof(stage), stage, "the table has a last line for each stage");
    }
}
