using System.Text;
using CsCheck;
using MailKit.Net.Smtp;
using MimeKit.IO;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Tests.Smtp;

public sealed class DotStuffingTests
{
    [Fact]
    public void Writes_what_MailKit_s_own_filter_writes()
    {
        var lines = Gen.Int[0, 5].Select(i => new[] { "", ".", "..", "x", "x.", ".x" }[i]).Array[0, 20];
        lines.Select(parts => string.Join("\r\n", parts) + "\r\n").Sample(text =>
        {
            using var ours = new MemoryStream();
            DotStuffing.Write(Encoding.ASCII.GetBytes(text), ours);
            using var theirs = new MemoryStream();
            using (var filtered = new FilteredStream(theirs))
            {
                filtered.Add(new SmtpDataFilter());
                filtered.Write(Encoding.ASCII.GetBytes(text));
                filtered.Flush();
            }
            Assert.Equal(Encoding.ASCII.GetString(theirs.ToArray()), Encoding.ASCII.GetString(ours.ToArray()));
        });
    }
}
