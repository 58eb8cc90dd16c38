using WeeklyDigest.Deliveries;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Tests.Smtp;

public sealed class ReplyPolicyTests
{
    [Theory]
    // Before a message: the relay's matter.
    [InlineData("Connect", 0, "refused", "NotStarted", "Transient")]
    [InlineData("Tls", 0, "certificate", "NotStarted", "Permanent")]
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
    [InlineData("Recipient", 421, "4.7.0 closing", "Deferred", "Transient")]
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
    [InlineData("FinalDot", 421, "4.3.2 closing", "Deferred", "Transient")]
    [InlineData("FinalDot", 452, "4.3.1 disk", "Deferred", "None")]
    [InlineData("FinalDot", 554, "5.7.1 policy", "Rejected", "None")]
    [InlineData("FinalDot", 0, "dropped", "Unknown", "None")]
    public void Judges_by_the_table(string stage, int code, string text, string result, string trouble)
        => Assert.Equal(
            new Judgement(Enum.Parse<SendResult>(result), Enum.Parse<RelayTrouble>(trouble)),
            ReplyPolicy.Judge(Enum.Parse<DialogueStage>(stage), code, text));

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
        var reached = new HashSet<Judgement>();
        foreach (var rule in ReplyPolicy.Rules)
        {
            var code = rule.Code switch { "lost" => ReplyPolicy.Lost, "any" => 399, var pattern => int.Parse(pattern.Replace('x', '9'), System.Globalization.CultureInfo.InvariantCulture) };
            Assert.Contains(rule.Stages, stage => ReplyPolicy.Judge(stage, code, rule.Enhanced) == rule.Judgement);
            reached.Add(rule.Judgement);
        }
        Assert.Equal(7, reached.Count);
    }

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
