using System.Text;
using CsCheck;
using MailKit.Net.Smtp;
using MimeKit.IO;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Tests.Smtp;

public sealed class DotStuffingTests
{
    [Fact]
    public async Task Writes_what_MailKit_s_own_filter_writes()
    {
        var lines = Gen.Int[0, 5].Select(i => new[] { "", ".", "..", "x", "x.", ".x" }[i]).Array[0, 20];
        await lines.Select(parts => string.Join("\r\n", parts) + "\r\n").SampleAsync(async text =>
        {
            using var ours = new MemoryStream();
            await DotStuffing.WriteAsync(Encoding.ASCII.GetBytes(text), ours, CancellationToken.None);
            using var theirs = new MemoryStream();
            using (var filtered = new FilteredStream(theirs))
            {
                filtered.Add(new SmtpDataFilter());
                await filtered.WriteAsync(Encoding.ASCII.GetBytes(text));
                await filtered.FlushAsync();
            }
            Assert.Equal(Encoding.ASCII.GetString(theirs.ToArray()), Encoding.ASCII.GetString(ours.ToArray()));
        });
    }
}
