using System.Text;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Smtp;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Smtp.Dkim;

/// <summary>A verifier we did not write, in another language, judges the octets that go out.</summary>
public sealed class DkimForeignTests
{
    private static readonly DkimSigner Signer = DkimKeys.Instance.Both;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Python_s_verifier_passes_every_shape_for_every_recipient_in_either_encoding()
    {
        var messages = from content in DkimSignerTests.Messages.Values
                       from abilities in new[] { Samples.Modern, Samples.Old }
                       from recipient in new[] { Samples.Recipient(), Samples.Recipient("用户@bücher.example", "用户"), Samples.Recipient(name: new string('n', 999), city: "  ") }
                       select new MessageComposer(content, Signer).Compose(recipient, abilities).Bytes.ToArray();
        Assert.All(await PythonDkim.VerifyAsync(Signer, messages, Cancel), verdict => Assert.Equal("pass, pass", verdict));
    }

    [Fact]
    public async Task Python_s_verifier_fails_what_was_changed()
    {
        var signed = new MessageComposer(Samples.Content(), Signer).Compose(Samples.Recipient(), Samples.Modern).Bytes.ToArray();
        var text = Encoding.Latin1.GetString(signed);
        string[] changed =
        [
            text.Replace("here on", "there on", StringComparison.Ordinal),
            text + "more\r\n",
            text.Replace("\r\nTo: ", "\r\nTo: Eve, ", StringComparison.Ordinal),
            text.Replace("\r\nFrom: ", "\r\nFrom: Eve <eve@example.com>\r\nFrom: ", StringComparison.Ordinal),
            text.Replace("One-Click", "Two-Click", StringComparison.Ordinal),
            text.Replace("t=1772353800", "t=1772353801", StringComparison.Ordinal),
        ];
        string[] unchanged = [text, text + "\r\n\r\n", text.Replace("\r\nTo: ", "\r\nto:\t  ", StringComparison.Ordinal), "X-Else: yes\r\n" + text];
        var verdicts = await PythonDkim.VerifyAsync(Signer, changed.Concat(unchanged).Select(Encoding.Latin1.GetBytes), Cancel);
        Assert.All(verdicts.Take(changed.Length), verdict => Assert.DoesNotContain("pass", verdict, StringComparison.Ordinal));
        Assert.Equal(["pass, pass", "pass, pass", "pass, pass", "pass, pass"], verdicts.Skip(changed.Length));
    }

    [Theory]
    [InlineData("EightBitMime, Size")]
    [InlineData("Modern, Chunking")]
    [InlineData("None")]
    public async Task The_octets_on_the_wire_are_the_signed_ones(string announced)
    {
        await using var server = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { Abilities = Enum.Parse<SmtpAbilities>(announced), KeepBytes = true });
        await using var session = new SmtpSession(new RelayOptions { Host = "127.0.0.1", Port = server.Port, Security = RelaySecurity.None }, TimeProvider.System);
        var composer = new MessageComposer(Samples.Content(), Signer);
        foreach (var name in new[] { "Ada", "王", null })
        {
            var message = composer.Compose(Samples.Recipient(name: name), await session.OpenAsync(Cancel));
            Assert.Equal(SendResult.Accepted, (await session.SendAsync(message, Samples.Bounces, Samples.Address("ada@example.org"), Cancel)).Result);
        }
        Assert.All(await PythonDkim.VerifyAsync(Signer, server.Accepted.Select(message => message.Bytes.ToArray()), Cancel), verdict => Assert.Equal("pass, pass", verdict));
        Assert.Equal(3, server.Accepted.Count);
    }
}
