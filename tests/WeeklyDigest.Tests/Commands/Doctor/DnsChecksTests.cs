using WeeklyDigest.Server.Commands.Doctor;
using WeeklyDigest.Smtp;
using WeeklyDigest.Tests.Smtp.Dkim;

namespace WeeklyDigest.Tests.Commands.Doctor;

/// <summary>What is said of DNS records, asked of a real name server.</summary>
public sealed class DnsChecksTests : IAsyncDisposable
{
    private static readonly DkimKey Key = DkimKeys.Instance.Rsa;

    /// <summary>For answers that never come.</summary>
    private static readonly TimeSpan Impatience = TimeSpan.FromMilliseconds(200);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly TestDns dns = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => dns.DisposeAsync();

    [Theory]
    [InlineData("v=DKIM1; k=rsa; p=KEY", "Ok", "has our key (rsa, 2048 bits); this is the record:")]
    [InlineData("p=KEY", "Ok", "has our key")]
    [InlineData("v=DKIM1;k=rsa;h=sha1:sha256;s=*;n=note;;p= KEY ;", "Ok", "has our key")]
    [InlineData("v=DKIM1; k=rsa; t=y:s; p=KEY", "Warning", "has our key, but says that it is only being tested (t=y).")]
    [InlineData("v=DKIM1; k=rsa; p=MIIBIjANBg", "Problem", "has another key than the one we sign with, so that every signature fails.")]
    [InlineData("v=DKIM1; k=ed25519; p=KEY", "Problem", "has another key than the one we sign with")]
    [InlineData("v=DKIM1; p=", "Problem", "says that its key was withdrawn.")]
    [InlineData("v=DKIM1; h=sha1; p=KEY", "Problem", "does not allow SHA-256 (h=).")]
    [InlineData("v=DKIM1; s=tlsrpt; p=KEY", "Problem", "does not allow e-mail (s=).")]
    [InlineData("v=spf1 -all", "Problem", "has no key, so that receivers cannot check the signatures.")]
    public async Task Compares_a_key_with_its_record(string published, string status, string message)
    {
        dns.Texts["wd1._domainkey.example.com"] = [published.Replace("KEY", Key.PublicKey, StringComparison.Ordinal)];
        AssertIs(status, "wd1._domainkey.example.com " + message, await DkimAsync());
    }

    [Fact]
    public async Task Prints_the_record_of_a_key_that_is_not_published_or_published_twice()
    {
        var missing = await DkimAsync();
        AssertIs("Problem", "wd1._domainkey.example.com has no key", missing);
        Assert.Equal(new PublishedRecord("wd1._domainkey.example.com", $"v=DKIM1; k=rsa; p={Key.PublicKey}"), missing.Record);
        Assert.Equal(
            $"wd1._domainkey.example.com. IN TXT \"{missing.Record!.Text[..255]}\" \"{missing.Record.Text[255..]}\"",
            missing.Record.ZoneLine);
        dns.Texts["wd1._domainkey.example.com"] = [missing.Record.Text, "v=DKIM1; p=x"];
        AssertIs("Problem", "wd1._domainkey.example.com has 2 keys; receivers may take any of them.", await DkimAsync());
    }

    [Theory]
    [InlineData("v=spf1 include:spf.example.net ~all", "Ok", "example.com has \"v=spf1 include:spf.example.net ~all\" (3 of 10 lookups).")]
    [InlineData("V=SPF1 ip4:192.0.2.0/24 redirect=spf.example.net", "Ok", "(3 of 10 lookups).")]
    [InlineData("v=spf1 a mx/24 -a:www.example.com include:%{i}.example.net -all", "Ok", "(4 of 10 lookups).")]
    [InlineData("v=spf1", "Problem", "which lets nobody send in its name.")]
    [InlineData("v=spf1 ?include:spf.example.net exp=why.example.com -all", "Problem", "which lets nobody send in its name.")]
    [InlineData("v=spf1 ip4:192.0.2.1", "Warning", "which says nothing of other senders.")]
    [InlineData("v=spf1 +all", "Warning", "which lets anybody send in its name.")]
    [InlineData("v=spf1 include:loop.example.net -all", "Problem", "needs more than 10 lookups.")]
    [InlineData("v=spf1 include:none.example.net -all", "Problem", "The SPF record of example.com includes none.example.net, which has none.")]
    [InlineData("v=spf1 include:two.example.net -all", "Problem", "includes two.example.net, which has several.")]
    [InlineData("v=spf1 include:a..b -all", "Problem", "includes 'a..b', which is no domain.")]
    [InlineData("v=spf1 include: -all", "Problem", "includes '', which is no domain.")]
    [InlineData("v=spf10 -all", "Warning", "example.com has no SPF record")]
    public async Task Judges_an_SPF_record(string published, string status, string message)
    {
        dns.Texts["example.com"] = ["something else", published];
        dns.Texts["spf.example.net"] = ["v=spf1 a:mail.example.net exists:x.example.net ip6:2001:db8::/32 -all"];
        dns.Texts["loop.example.net"] = ["v=spf1 include:loop.example.net -all"];
        dns.Texts["two.example.net"] = ["v=spf1 -all", "v=spf1 ~all"];
        AssertIs(status, message, await SpfAsync());
    }

    [Fact]
    public async Task Two_SPF_records_count_as_none()
    {
        dns.Texts["example.com"] = ["v=spf1 -all", "v=spf1 ~all"];
        AssertIs("Problem", "example.com has 2 SPF records, which counts as none.", await SpfAsync());
    }

    [Theory]
    [InlineData("_dmarc.weekly.example.com", "v=DMARC1; p=none; rua=mailto:a@example.com", "Ok", "_dmarc.weekly.example.com has \"v=DMARC1; p=none; rua=mailto:a@example.com\".")]
    [InlineData("_dmarc.example.com", "v=DMARC1;p=reject;sp=quarantine", "Ok", "_dmarc.example.com has")]
    [InlineData("_dmarc.example.com", "v=DMARC1; p=reject; adkim=s", "Problem", "wants signatures by weekly.example.com itself (adkim=s), but example.com signs.")]
    [InlineData("_dmarc.example.com", "v=DMARC1; rua=mailto:a@example.com", "Problem", "which has no policy (p=).")]
    [InlineData("_dmarc.example.com", "v=DMARC1; p=none; sp=maybe", "Problem", "which has no policy (p=).")]
    [InlineData("_dmarc.com", "v=DMARC1; p=none", "Warning", "weekly.example.com has no DMARC record")]
    [InlineData("_dmarc.example.com", "v=DMARC12; p=none", "Warning", "weekly.example.com has no DMARC record")]
    public async Task Judges_the_DMARC_record_that_counts(string name, string published, string status, string message)
    {
        dns.Texts[name] = [published];
        AssertIs(status, message, await DmarcCheck.RunAsync("weekly.example.com", DkimKeys.Instance.Both, Records(), Cancel));
    }

    [Fact]
    public async Task A_strict_policy_without_signatures_is_worth_a_warning()
    {
        dns.Texts["_dmarc.example.com"] = ["v=DMARC1; p=reject"];
        AssertIs("Warning", "messages are not signed here", await DmarcCheck.RunAsync("example.com", null, Records(), Cancel));
    }

    [Fact]
    public async Task Takes_long_answers_over_TCP_and_shows_little_of_them()
    {
        dns.Texts["example.com"] = ["v=spf1 " + new string('x', 60_000) + " ~all"];
        var found = await SpfAsync();
        AssertIs("Ok", "(0 of 10 lookups).", found);
        Assert.True(found.Message.Length < 300, found.Message);
    }

    [Fact]
    public async Task What_a_record_says_cannot_steer_the_terminal()
    {
        dns.Texts["example.com"] = ["v=spf1 \u001b[2J\r\nok \u009b31m ~all"];
        var found = await SpfAsync();
        Assert.DoesNotContain(found.Message, c => char.IsControl(c));
    }

    [Theory]
    [InlineData("SERVFAIL")]
    [InlineData("REFUSED")]
    [InlineData("empty")]
    [InlineData("header only")]
    [InlineData("cut in the middle")]
    [InlineData("noise")]
    [InlineData("a record longer than the message")]
    [InlineData("thousands of records announced")]
    [InlineData("another question's number")]
    [InlineData("cut off, and noise over TCP")]
    [InlineData("cut off, and silence over TCP")]
    public async Task A_hostile_answer_is_a_warning(string what)
    {
        dns.Texts["example.com"] = ["v=spf1 a ~all"];
        dns.Twist = (answer, overTcp) => Twisted(what, answer, overTcp);
        AssertIs("Warning", "example.com could not be looked up: ", await new SpfCheck(Records(Impatience)).RunAsync("example.com", Cancel));
    }

    [Fact]
    public async Task Passes_over_what_is_no_answer_to_its_question_and_waits_for_one_that_is()
    {
        dns.Texts["example.com"] = ["v=spf1 a ~all"];
        dns.Before = answer => [[], [1, 2, 3], [(byte)(answer[0] ^ 1), .. answer[1..]], [.. answer[..13], (byte)'x', .. answer[14..]]];
        AssertIs("Ok", "example.com has \"v=spf1 a ~all\"", await SpfAsync());
    }

    [Fact]
    public async Task Does_not_follow_a_name_that_points_to_itself()
    {
        dns.Texts["example.com"] = ["v=spf1 a ~all"];
        // The record of such a name reads "A", which is no SPF record; a reader that followed the name would never end.
        dns.Twist = (answer, _) => [.. answer[..29], 0xC0, 29, 0, 16, 0, 1, 0, 0, 0, 60, 0, 2, 1, (byte)'A'];
        AssertIs("Warning", "example.com has no SPF record", await SpfAsync());
    }

    [Fact]
    public async Task Follows_an_alias()
    {
        dns.Texts["example.com"] = ["v=spf1 a ~all"];
        // CNAME example.com -> a, then the record of a; as a server puts them side by side.
        dns.Twist = (answer, _) => [.. answer[..7], 2, .. answer[8..29], 0xC0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 3, 1, (byte)'a', 0, 0xC0, 41, .. answer[31..]];
        AssertIs("Ok", "example.com has \"v=spf1 a ~all\"", await SpfAsync());
    }

    [Fact]
    public async Task Asks_the_next_server_when_one_does_not_know()
    {
        await using var broken = new TestDns { Twist = (answer, _) => [.. answer[..3], 0x82, .. answer[4..]] };
        dns.Texts["example.com"] = ["v=spf1 a ~all"];
        var records = new TextRecords([broken.Server, dns.Server], Patience, TimeProvider.System);
        AssertIs("Ok", "example.com has \"v=spf1 a ~all\"", await new SpfCheck(records).RunAsync("example.com", Cancel));
        Assert.Equal((1, 1), (broken.Questions, dns.Questions));
    }

    [Fact]
    public async Task A_silent_server_is_asked_for_one_name_only()
    {
        dns.Twist = (_, _) => null;
        var records = Records(Impatience);
        AssertIs("Warning", "example.com could not be looked up: no name server gave an answer that can be used.", await new SpfCheck(records).RunAsync("example.com", Cancel));
        var asked = dns.Questions;
        AssertIs("Warning", "no name server gave an answer that can be used", await DmarcCheck.RunAsync("example.com", null, records, Cancel));
        Assert.Equal(asked, dns.Questions);
    }

    [Fact]
    public async Task Without_a_name_server_nobody_is_asked()
        => AssertIs("Warning", "this machine has no name server", await new SpfCheck(new TextRecords([], Patience, TimeProvider.System)).RunAsync("example.com", Cancel));

    [Theory]
    [InlineData("127.0.0.1:5353", "127.0.0.1:5353")]
    [InlineData("127.0.0.1", "127.0.0.1:53")]
    [InlineData("[::1]:54", "[::1]:54")]
    [InlineData("localhost:5353", "5353")]
    [InlineData("localhost:99999", null)]
    [InlineData("no such host", null)]
    [InlineData("", null)]
    public async Task Reads_which_server_to_ask(string text, string? expected)
        => Assert.EndsWith(expected ?? "nothing", (await TextRecords.ServerAsync(text, Cancel))?.ToString() ?? "nothing", StringComparison.Ordinal);

    private static byte[]? Twisted(string what, byte[] answer, bool overTcp)
    {
        byte[] header = answer[..2];
        byte[] question = answer[12..(12 + "example".Length + "com".Length + 7)];
        return what switch
        {
            "SERVFAIL" => [.. header, 0x81, 0x82, 0, 1, 0, 0, 0, 0, 0, 0, .. question],
            "REFUSED" => [.. header, 0x81, 0x85, 0, 1, 0, 0, 0, 0, 0, 0, .. question],
            "empty" => [],
            "header only" => answer[..12],
            "cut in the middle" => answer[..^8],
            "noise" => [.. header, .. Enumerable.Range(0, 400).Select(i => (byte)(i * 37))],
            "a record longer than the message" => [.. answer[..12], .. question, 0xC0, 12, 0, 16, 0, 1, 0, 0, 0, 60, 0xFF, 0xFF, 200, 65],
            "thousands of records announced" => [.. header, 0x81, 0x80, 0, 1, 0xFF, 0xFF, 0, 0, 0, 0, .. question],
            "another question's number" => [(byte)(answer[0] ^ 1), .. answer[1..]],
            "cut off, and noise over TCP" => overTcp ? [1, 2, 3] : [.. header, 0x83, 0x80, 0, 1, 0, 0, 0, 0, 0, 0, .. question],
            "cut off, and silence over TCP" => overTcp ? null : [.. header, 0x83, 0x80, 0, 1, 0, 0, 0, 0, 0, 0, .. question],
            _ => throw new ArgumentException(what),
        };
    }

    private TextRecords Records(TimeSpan? patience = null) => new([dns.Server], patience ?? Patience, TimeProvider.System);

    private Task<Diagnosis> DkimAsync() => DkimCheck.RunAsync(Key, "example.com", Records(), Cancel);

    private Task<Diagnosis> SpfAsync() => new SpfCheck(Records()).RunAsync("example.com", Cancel);

    private static void AssertIs(string status, string message, Diagnosis found)
    {
        Assert.Contains(message, found.Message, StringComparison.Ordinal);
        Assert.Equal((status, status != "Ok"), (found.Status.ToString(), found.Advice is not null));
    }
}
