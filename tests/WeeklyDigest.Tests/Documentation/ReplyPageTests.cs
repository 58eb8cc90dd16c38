using System.Text;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Tests.Documentation;

/// <summary>docs/replies.md is the table of the program, written out: it cannot say anything else.</summary>
public sealed class ReplyPageTests
{
    private const string Page = "docs/replies.md";

    private static readonly string Introduction = """
        # What a relay's answer means

        Made from the table in `src/WeeklyDigest/Smtp/ReplyPolicy.cs`; a test fails when the two differ. It is read from the top, and the first line that
        fits decides. *No reply* means refused, reset, dropped or timed out. An enhanced code (RFC 3463) is taken from the beginning of the reply, or else from where
        it is quoted; words count without regard to case, and never inside addresses and links.

        | where | reply | what follows | why |
        |---|---|---|---|

        """;

    private static readonly string End = """

        - **The relay rests** means: it is left alone for a pause that doubles from a second to a minute, and then tried over one connection. While others of its
          connections work, one that cannot be opened (but for a refused login or certificate) only shows how many the relay allows: sending goes on over those,
          and one more is tried after a minute, or after a second where fewer work than it has allowed.
        - **The relay is set aside** means: it gets nothing until a mailing begins or is resumed, or the program starts again; `status`, the page *Issues* and the log
          show its reply. The others go on; when none is left the mailing pauses with these words.
          Of a sender refused at RCPT that is told by others: after three receiving domains, or 20 tries (three of one recipient, where nobody was accepted before),
          without a message accepted in between. Until then whom the relay refuses so is tried once more behind the others, without an attempt counted; where it accepts
          messages and one domain alone says so, that recipient has failed.
        - **Tried again** means: first after `Delivery:FirstRetryAfter`, then after growing waits with jitter, until `Delivery:GiveUpAfter` since the first attempt.
        - **Slower** means: the receiving domain gets half as many messages at a time, and each accepted one wins some of that back; while it accepts nothing in
          between, it is left alone for a pause that doubles from a second to a minute.
        - **Suppressed** means: the address is never mailed again, and no list file brings it back. It is written in the same transaction as the failure, with the reply.
          When the relay turns out to refuse everybody it is taken back, and what other mailings passed over for it is sent. A relay that puts somebody off (`4xx`) before
          it has refused too many tells recipients apart: whom it refused until then stays suppressed.
        - **Alarm** means: recorded with the mailing, shown by `status`, on the dashboard's page *Issues* and in the log. After 20 in a row the mailing leaves that
          domain alone; what is left there waits, and `resume` tries it again.

        """;

    [Fact]
    public void Says_what_the_table_says()
    {
        var path = Path.Combine(Workspace.RepositoryRoot, Page);
        var expected = Introduction + string.Concat(ReplyPolicy.Rules.Select(Line)) + End;
        if (Environment.GetEnvironmentVariable("WEEKLYDIGEST_WRITE_GOLDENS") == "1") File.WriteAllText(path, expected);
        Assert.True(File.Exists(path), $"{Page} is missing; write it with WEEKLYDIGEST_WRITE_GOLDENS=1 and look at it.");
        Assert.Equal(expected, File.ReadAllText(path));
    }

    private static string Line(ReplyRule rule) => $"| {Where(rule)} | {Reply(rule)} | {What(rule.Judgement)} | {rule.Reason} |\n";

    private static string Where(ReplyRule rule) => string.Join(", ", rule.Stages.Select(stage => stage switch
    {
        DialogueStage.Connect => "connecting",
        DialogueStage.Tls => "TLS",
        DialogueStage.Greeting => "greeting",
        DialogueStage.Hello => "EHLO",
        DialogueStage.Login => "AUTH",
        DialogueStage.Sender => "MAIL",
        DialogueStage.Recipient => "RCPT",
        DialogueStage.Data => "DATA",
        DialogueStage.Body => "message",
        DialogueStage.FinalDot => "final dot",
        _ => throw new InvalidOperationException($"{stage} has no name."),
    }));

    private static string Reply(ReplyRule rule)
    {
        var text = new StringBuilder(rule.Code switch { "lost" => "no reply", "failed" => "the handshake fails", "any" => "any other", var code => $"`{code}`" });
        if (rule.Enhanced.Length > 0) text.Append(" with ").AppendJoin(", ", rule.Enhanced.Select(code => code == "none" ? "no enhanced code" : $"`{code}`"));
        if (rule.Words.Length > 0) text.Append(rule.Enhanced.Length > 0 ? " and " : " with ").Append("one of: ").AppendJoin(", ", rule.Words.Select(word => $"*{word}*"));
        return text.ToString();
    }

    private static string What(Judgement judgement) => judgement switch
    {
        { Result: SendResult.Accepted } => "sent",
        { Result: SendResult.Unknown } => "uncertain",
        { Result: SendResult.Deferred, SlowDown: true } => "tried again; slower",
        { Result: SendResult.Deferred } => "tried again",
        { Result: SendResult.NotStarted, Refusal: Refusal.Policy } => "failed, alarm, never suppressed, where the relay accepts others; else the relay is set aside, and nobody is touched",
        { Result: SendResult.NotStarted, Refusal: Refusal.Other } => "failed, or tried over another relay, where the address needs SMTPUTF8; else the relay is set aside, and nobody is touched",
        { Result: SendResult.NotStarted, Trouble: RelayTrouble.Permanent } => "the relay is set aside; nobody is touched",
        { Result: SendResult.NotStarted } => "the relay rests and is tried again; nobody is touched",
        { Refusal: Refusal.Address } => "failed, suppressed",
        { Refusal: Refusal.Mailbox } => "failed; suppressed at the third issue in a row",
        { Refusal: Refusal.Policy } => "failed, alarm; never suppressed",
        _ => "failed",
    };
}
