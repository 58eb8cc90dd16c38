using WeeklyDigest.Deliveries;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Tests.Smtp;

public sealed class ReplyPolicyTests
{
    [Theory]
    // Before a message: the relay's matter.
    [InlineData("Connect", 0, "refused", "NotStarted", "Transient")]
    [InlineData("Tls", ReplyPolicy.NoHandshake, "certificate", "NotStarted", "Permanent")]
    [InlineData("Tls", 0, "dropped", "NotStarted", "Transient")]
    [InlineData("Greeting", 421, "4.3.2 busy", "NotStarted", "Transient")]
    [InlineData("Greeting", 450, "later", "NotStarted", "Transient")]
    [InlineData("Greeting", 554, "5.7.1 go away", "NotStarted", "Permanent")]
    [InlineData("Hello", 501, "bad name", "NotStarted", "Permanent")]
    [InlineData("Hello", 454, "4.7.0 TLS not available", "NotStarted", "Transient")]
    [InlineData("Login", 535, "5.7.8 wrong", "NotStarted", "Permanent")]
    [InlineData("Login", 454, "4.7.0 temporary", "NotStarted", "Transient")]
    [InlineData("Login", 0, "dropped", "NotStarted", "Transient")]
    // MAIL: nobody is to blame for the sender.
    [InlineData("Sender", 0, "dropped", "NotStarted", "Transient")]
    [InlineData("Sender", 421, "4.3.2 closing", "NotStarted", "Transient")]
    [InlineData("Sender", 451, "4.3.0 later", "Deferred", "None")]
    [InlineData("Sender", 530, "5.7.0 login first", "NotStarted", "Permanent")]
    [InlineData("Sender", 550, "5.7.1 not yours", "NotStarted", "Permanent")]
    [InlineData("Sender", 552, "5.3.4 too big", "NotStarted", "Permanent")]
    [InlineData("Sender", 553, "5.6.7 no SMTPUTF8 there", "Rejected", "None")]
    // RCPT, DATA and the final dot: this recipient.
    [InlineData("Recipient", 421, "4.7.0 closing", "Deferred", "None")]
    [InlineData("Recipient", 450, "4.2.0 greylisted", "Deferred", "None")]
    [InlineData("Recipient", 452, "4.2.2 full", "Deferred", "None")]
    [InlineData("Recipient", 550, "5.1.1 unknown", "Rejected", "None")]
    [InlineData("Recipient", 0, "dropped", "Deferred", "None")]
    [InlineData("Data", 451, "4.3.0 later", "Deferred", "None")]
    [InlineData("Data", 554, "5.5.1 no", "Rejected", "None")]
    [InlineData("Data", 250, "what?", "Deferred", "None")]
    [InlineData("Body", 0, "reset", "Deferred", "None")]
    [InlineData("FinalDot", 250, "2.0.0 queued", "Accepted", "None")]
    [InlineData("FinalDot", 252, "2.0.0 queued", "Accepted", "None")]
    [InlineData("FinalDot", 354, "what?", "Unknown", "None")]
    [InlineData("FinalDot", 421, "4.3.2 closing", "Deferred", "None")]
    [InlineData("FinalDot", 452, "4.3.1 disk", "Deferred", "None")]
    [InlineData("FinalDot", 554, "5.7.1 policy", "Rejected", "None")]
    [InlineData("FinalDot", 0, "dropped", "Unknown", "None")]
    public void Judges_by_the_table(string stage, int code, string text, string result, string trouble)
    {
        var judgement = ReplyPolicy.Judge(Enum.Parse<DialogueStage>(stage), code, text);
        Assert.Equal((Enum.Parse<SendResult>(result), Enum.Parse<RelayTrouble>(trouble)), (judgement.Result, judgement.Trouble));
        Assert.Equal(judgement.Result == SendResult.Rejected, judgement.Refusal != Refusal.None);
    }

    [Theory]
    [InlineData("5.1.1 <joe@example.net>: Recipient address rejected: User unknown", "Address")]
    [InlineData("5.1.2 Host unknown", "Address")]
    [InlineData("5.1.3 Bad address", "Address")]
    [InlineData("5.1.6 Moved", "Address")]
    [InlineData("5.1.10 RESOLVER.ADR.RecipientNotFound", "Address")]
    [InlineData("User unknown", "Address")]
    [InlineData("5.0.0 No such user here", "Address")]
    [InlineData("sorry, no mailbox here by that name (#5.1.1)", "Address")]
    [InlineData("mx.example.net[192.0.2.1] said: 550 5.1.1 nobody", "Address")]
    [InlineData("5.1.1 <spam@blocked.example>: no such user; see https://example.net/policy/content", "Address")]
    [InlineData("5.1.4 Ambiguous, no such user", "Other")]
    [InlineData("5.2.1 Mailbox disabled", "Mailbox")]
    [InlineData("5.2.2 Mailbox full", "Mailbox")]
    [InlineData("5.2.2 Too many messages in mailbox", "Mailbox")]
    [InlineData("5.2.3 Message size exceeds the mailbox's limit", "Mailbox")]
    [InlineData("Mailbox full", "Mailbox")]
    [InlineData("Quota exceeded", "Mailbox")]
    [InlineData("5.7.1 Not you", "Policy")]
    [InlineData("5.7.1 User unknown", "Policy")]
    [InlineData("5.7.606 Access denied, banned sending IP", "Policy")]
    [InlineData("5.6.0 Cannot convert", "Policy")]
    [InlineData("5.3.4 Too big", "Policy")]
    [InlineData("Message size exceeds fixed limit", "Policy")]
    [InlineData("Looks like spam", "Policy")]
    [InlineData("5.1.1 Your host is on a blacklist", "Policy")]
    [InlineData("5.2.0 Refused for its content", "Policy")]
    [InlineData("Rejected by DMARC policy", "Policy")]
    [InlineData("Blocked: user unknown to many", "Policy")]
    [InlineData("Access denied", "Policy")]
    [InlineData("5.4.1 Recipient address rejected: Access denied", "Other")]
    [InlineData("5.4.4 No route", "Other")]
    [InlineData("Requested action not taken: mailbox unavailable", "Other")]
    public void Knows_what_a_refusal_is_about(string text, string refusal)
    {
        foreach (var stage in new[] { DialogueStage.Recipient, DialogueStage.Data, DialogueStage.FinalDot })
            Assert.Equal(new Judgement(SendResult.Rejected, Refusal: Enum.Parse<Refusal>(refusal)), ReplyPolicy.Judge(stage, 550, text));
    }

    [Theory]
    [InlineData("Recipient", 421, "too many connections", true)]
    [InlineData("FinalDot", 421, "4.3.2 closing", true)]
    [InlineData("Recipient", 450, "4.7.1 slow down", true)]
    [InlineData("FinalDot", 451, "4.7.28 unusual rate of mail", true)]
    [InlineData("Recipient", 451, "4.7.1 Greylisting in action, come back later", false)]
    [InlineData("Recipient", 452, "4.2.2 full", false)]
    [InlineData("FinalDot", 250, "4.7.1 is no code of this reply", false)]
    public void Knows_when_a_domain_asks_for_less(string stage, int code, string text, bool expected)
        => Assert.Equal(expected, ReplyPolicy.Judge(Enum.Parse<DialogueStage>(stage), code, text).SlowDown);

    [Theory]
    [InlineData("5.1.8 <news@weekly.example>: Sender address rejected: Domain not found")]
    [InlineData("5.7.1 <news@weekly.example>: Sender address rejected: Access denied")]
    public void Knows_a_refused_sender_at_the_recipient(string text)
        => Assert.Equal(new Judgement(SendResult.NotStarted, RelayTrouble.Permanent, Refusal.Policy), ReplyPolicy.Judge(DialogueStage.Recipient, 554, text));

    [Fact]
    public void Knows_an_answer_for_every_stage_and_code()
    {
        foreach (var stage in Enum.GetValues<DialogueStage>())
            foreach (var code in Enumerable.Range(100, 900).Prepend(ReplyPolicy.Lost))
                Assert.True(Enum.IsDefined(ReplyPolicy.Judge(stage, code, "").Result));
    }

    [Fact]
    public void Has_no_line_that_another_one_hides()
    {
        foreach (var rule in ReplyPolicy.Rules)
        {
            var code = rule.Code switch { "lost" => ReplyPolicy.Lost, "failed" => ReplyPolicy.NoHandshake, "any" => 399, var pattern => int.Parse(pattern.Replace('x', '9'), System.Globalization.CultureInfo.InvariantCulture) };
            var enhanced = rule.Enhanced.Where(pattern => pattern != "none").FirstOrDefault("").Replace('x', '9');
            Assert.Contains(rule.Stages, stage => ReplyPolicy.RuleFor(stage, code, $"{enhanced} {rule.Words.FirstOrDefault()}") == rule);
        }
    }

    [Fact]
    public void Writes_its_words_in_lower_case()
        => Assert.All(ReplyPolicy.Rules.SelectMany(rule => rule.Words), word => Assert.Equal(word.ToLowerInvariant(), word));

    [Theory]
    [InlineData(" 550  5.1.1 no\r\nsuch\tuser \u0007 ", "550 5.1.1 no such user")]
    [InlineData("", "")]
    public void Cleans_replies_to_one_line(string text, string expected) => Assert.Equal(expected, ReplyText.Clean(text));

    [Fact]
    public void Cuts_replies_at_500_characters_between_characters()
    {
        var clean = ReplyText.Clean("x" + string.Concat(Enumerable.Repeat("🎉", 400)));
        Assert.Equal(499, clean.Length);
        Assert.EndsWith("🎉", clean, StringComparison.Ordinal);
    }
}
