using System.Text;
using WeeklyDigest.Merging;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Tests.Smtp.Dkim;

public sealed class DkimSignerTests
{
    private static readonly DkimKeys Keys = DkimKeys.Instance;

    public static TheoryData<string> Shapes => [.. Messages.Keys];

    /// <summary>Contents that canonicalization has something to do with.</summary>
    internal static Dictionary<string, MessageContent> Messages { get; } = new()
    {
        ["ordinary"] = Samples.Content(),
        ["trailing blank lines"] = Samples.Content(text: MergeTemplate.Of("a \t b\n \n\t\n\n\n"), html: MergeTemplate.Of("<p>x</p>\n\n \n\n")),
        ["white space"] = Samples.Content(text: MergeTemplate.Of("\t\ta  b \t c\t\n   d   \n\te\t\tf \n"), html: MergeTemplate.Of("  <p>  ö\t </p>  ")),
        ["long lines"] = Samples.Content(text: MergeTemplate.Of(new string('x', 5000) + "  \n"), html: MergeTemplate.Of("<p>" + new string('ö', 480) + "</p>")),
        ["beyond ASCII"] = Samples.Content(text: MergeTemplate.Of("見える化\u00A0 \u3000 🎉\n")),
        ["no Reply-To"] = Samples.Content() with { ReplyTo = null },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void MimeKit_verifies_both_signatures_in_either_encoding(string shape)
    {
        foreach (var abilities in new[] { Samples.Modern, Samples.Old })
            Assert.Equal([true, true], Keys.Verify(Signed(abilities, Messages[shape])));
    }

    [Fact]
    public void Signs_the_same_octets_each_time_and_in_every_buffer()
    {
        var composer = new MessageComposer(Samples.Content(), Keys.Both);
        var buffer = new MessageBuffer();
        var first = composer.Compose(Samples.Recipient(), Samples.Modern).Bytes.ToArray();
        composer.Compose(Samples.Recipient(name: "Somebody Else"), Samples.Modern, buffer);
        Assert.Equal(first, composer.Compose(Samples.Recipient(), Samples.Modern, buffer).Bytes.ToArray());
        Assert.Equal(first, Signed(Samples.Modern));
    }

    [Fact]
    public void What_is_signed_is_ASCII_whatever_the_relay_announces()
    {
        var message = new MessageComposer(Samples.Content(), Keys.Both).Compose(Samples.Recipient(), Samples.Modern);
        Assert.False(message.EightBit);
        Assert.True(Ascii.IsValid(message.Bytes.Span));
    }

    [Fact]
    public void Nothing_but_the_signatures_in_front_is_added()
    {
        var signed = Signed(Samples.Modern);
        var unsigned = Samples.Compose(Samples.Old).Bytes.ToArray();
        Assert.Equal(unsigned, signed[^unsigned.Length..]);
        var added = Encoding.ASCII.GetString(signed[..^unsigned.Length]);
        Assert.Matches(@"^DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n d=example\.com; s=wd1;\r\n t=1772353800;\r\n h=From:From:", added);
        Assert.Contains("\r\nDKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n d=example.com; s=wd2;", added, StringComparison.Ordinal);
        Assert.DoesNotContain(" l=", added, StringComparison.Ordinal);
        Assert.All(added.Split("\r\n"), line => Assert.True(line.Length <= 78, line));
    }

    [Theory]
    [InlineData("Gr=C3=B6=C3=9Fe")]
    [InlineData("here on")]
    [InlineData("--\r\n")]
    public void A_changed_body_breaks_both(string place)
    {
        var message = Signed(Samples.Modern);
        Assert.Equal([false, false], Keys.Verify(With(message, Find(message, place))));
    }

    [Theory]
    [InlineData("From")]
    [InlineData("Reply-To")]
    [InlineData("To")]
    [InlineData("Subject")]
    [InlineData("Date")]
    [InlineData("Message-ID")]
    [InlineData("List-ID")]
    [InlineData("List-Unsubscribe")]
    [InlineData("List-Unsubscribe-Post")]
    [InlineData("Feedback-ID")]
    [InlineData("MIME-Version")]
    [InlineData("Content-Type")]
    public void A_changed_field_breaks_both(string name)
    {
        var message = Signed(Samples.Modern);
        var at = Find(message, $"\r\n{name}: ");
        var end = Find(message.AsSpan(at + 2), "\r\n") + at + 1;
        Assert.Equal([false, false], Keys.Verify(With(message, end)));
    }

    [Theory]
    [InlineData("From: Somebody <else@example.com>")]
    [InlineData("Reply-To: else@example.com")]
    [InlineData("To: else@example.com")]
    [InlineData("Cc: else@example.com")]
    [InlineData("Subject: else")]
    [InlineData("Date: Sun, 1 Mar 2026 09:30:00 +0100")]
    [InlineData("Content-Type: text/plain")]
    public void A_second_field_breaks_both(string field)
    {
        var message = Signed(Samples.Modern);
        var at = Find(message, "\r\nFrom: ") + 2;
        Assert.Equal([true, true], Keys.Verify([.. message[..at], .. "X-Else: yes\r\n"u8, .. message[at..]]));
        Assert.Equal([false, false], Keys.Verify([.. message[..at], .. Encoding.ASCII.GetBytes(field + "\r\n"), .. message[at..]]));
    }

    [Fact]
    public async Task Many_threads_sign_with_one_signer()
    {
        var composer = new MessageComposer(Samples.Content(), Keys.Both);
        var expected = composer.Compose(Samples.Recipient(), Samples.Modern).Bytes.ToArray();
        await Parallel.ForAsync(0, 64, TestContext.Current.CancellationToken, (_, _) =>
        {
            Assert.Equal(expected, composer.Compose(Samples.Recipient(), Samples.Modern).Bytes.ToArray());
            return ValueTask.CompletedTask;
        });
    }

    [Theory]
    [InlineData("example.com", "example.com", true)]
    [InlineData("example.com", "weekly.example.com", true)]
    [InlineData("example.com", "notexample.com", false)]
    [InlineData("weekly.example.com", "example.com", false)]
    public void Is_aligned_with_its_own_domain_and_those_below(string domain, string from, bool expected)
        => Assert.Equal(expected, DkimSigner.IsAligned(domain, from));

    private static byte[] Signed(RelayAbilities abilities, MessageContent? content = null)
        => new MessageComposer(content ?? Samples.Content(), Keys.Both).Compose(Samples.Recipient(), abilities).Bytes.ToArray();

    private static int Find(ReadOnlySpan<byte> message, string text)
    {
        var at = message.IndexOf(Encoding.UTF8.GetBytes(text));
        Assert.True(at >= 0, $"no {text}");
        return at;
    }

    private static byte[] With(byte[] message, int changed)
    {
        byte[] copy = [.. message];
        copy[changed] ^= 1;
        return copy;
    }
}
