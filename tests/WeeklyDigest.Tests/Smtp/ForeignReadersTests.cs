using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using WeeklyDigest.Tests.Smtp.Postfix;

namespace WeeklyDigest.Tests.Smtp;

/// <summary>Programs we did not write read our messages, and have nothing to say against them.</summary>
public sealed partial class ForeignReadersTests : IDisposable
{
    private readonly string home = Directory.CreateTempSubdirectory("weeklydigest-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(home, recursive: true);

    /// <summary>
    /// Reads every field and both parts; with raise_on_defect any defect ends it. Messages with SMTPUTF8 are not for it: it calls RFC 6532's
    /// addresses defects, whatever its policy says.
    /// </summary>
    private const string Reader = """
        import email, email.policy, json, sys
        raw = sys.stdin.buffer.read()
        policy = email.policy.SMTP.clone(raise_on_defect=True)
        message = email.message_from_bytes(raw, policy=policy)
        defects = [str(defect) for part in message.walk() for defect in part.defects]
        defects += [f'{name}: {defect}' for part in message.walk() for name, value in part.items() for defect in value.defects]
        print(json.dumps({
            'defects': defects, 'fields': message.keys(), 'subject': message['Subject'], 'to': [(a.display_name, a.addr_spec) for a in message['To'].addresses],
            'from': message['From'].addresses[0].display_name, 'date': message['Date'].datetime.isoformat(), 'types': [p.get_content_type() for p in message.walk()],
            'text': message.get_body(('plain',)).get_content(), 'html': message.get_body(('html',)).get_content()}))
        """;

    [Theory]
    [InlineData("8bit", "Ada Lovelace")]
    [InlineData("7bit", "\"Ada\", née Byron <@> 王\\")]
    [InlineData("8bit", "=?utf-8?Q?no?= (comment)")]
    public async Task Python_s_strict_parser_finds_no_defect(string kind, string name)
    {
        var recipient = Samples.Recipient(name: name);
        var message = Samples.Compose(kind == "7bit" ? Samples.Old : Samples.Modern, recipient);
        var read = JsonDocument.Parse(await Command.RunAsync("python3", ["-c", Reader], message.Bytes, cancel: Cancel)).RootElement;
        Assert.Empty(read.GetProperty("defects").EnumerateArray());
        Assert.Equal(Samples.Content().Subject.Fill(recipient.Values), read.GetProperty("subject").GetString());
        Assert.Equal(JsonSerializer.Serialize(new[] { new[] { name, "ada@example.org" } }), JsonSerializer.Serialize(read.GetProperty("to")));
        Assert.Equal("Ärmel & Söhne, Weekly", read.GetProperty("from").GetString());
        Assert.Equal("2026-03-01T09:30:00+01:00", read.GetProperty("date").GetString());
        Assert.Equal(["multipart/alternative", "text/plain", "text/html"], read.GetProperty("types").EnumerateArray().Select(type => type.GetString()));
        Assert.Equal(Samples.Text.Fill(recipient.Values), read.GetProperty("text").GetString()!.ReplaceLineEndings("\n"));
        Assert.Equal(Samples.Html.Fill(recipient.Values), read.GetProperty("html").GetString()!.ReplaceLineEndings("\n"));
    }

    /// <summary>What may be said of a good newsletter that has not travelled yet: no complaint is among these.</summary>
    private static readonly string[] Harmless =
    [
        "NO_RECEIVED", "NO_RELAYS", // it has not travelled
        "HTML_MESSAGE", // it has an HTML part
        "MAILING_LIST_MULTI", // it bears the marks of a list, which counts in its favour
    ];

    [Theory]
    [InlineData("8bit")]
    [InlineData("7bit")]
    public async Task SpamAssassin_s_local_rules_have_no_complaint(string kind)
    {
        var message = Samples.Compose(kind == "7bit" ? Samples.Old : Samples.Modern);
        var report = Encoding.UTF8.GetString(await Command.RunAsync("spamassassin", ["-L", "-t", "-x"], message.Bytes, home, Cancel));
        var hit = Hits().Match(report.ReplaceLineEndings("\n").Replace("\n\t", "", StringComparison.Ordinal)).Groups[1].Value.Split(',', StringSplitOptions.TrimEntries);
        Assert.Empty(hit.Except(Harmless));
        Assert.Contains("NO_RELAYS", hit);
    }

    [GeneratedRegex(@"\bX-Spam-Status: .*?\btests=([A-Z0-9_, ]+)")]
    private static partial Regex Hits();
}
