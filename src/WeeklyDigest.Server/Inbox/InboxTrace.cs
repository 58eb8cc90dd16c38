using System.Globalization;
using System.Text;

namespace WeeklyDigest.Server.Inbox;

/// <summary>
/// The header lines the inbox puts before a message, as every mail server does (RFC 5321 section 4.4): Return-Path, one Delivered-To for each
/// recipient, and Received, always in this order, each on one line. So the first line that starts with "Received:" ends them, and what
/// follows is what the client sent, byte for byte.
/// </summary>
internal static class InboxTrace
{
    private const string ReturnPath = "Return-Path: <";
    private const string DeliveredTo = "Delivered-To: ";
    private const string Received = "Received: ";

    /// <summary>The lines for an envelope.</summary>
    public static byte[] Write(InboxEnvelope envelope, DateTimeOffset now)
    {
        var lines = new StringBuilder().Append(ReturnPath).Append(envelope.Sender).Append(">\r\n");
        foreach (var recipient in envelope.Recipients)
        {
            lines.Append(DeliveredTo).Append(recipient).Append("\r\n");
        }

        var date = now.ToUniversalTime().ToString("ddd, dd MMM yyyy HH:mm:ss '+0000'", CultureInfo.InvariantCulture);
        return Encoding.UTF8.GetBytes(lines.Append(Received).Append("by inbox.localhost (WeeklyDigest) with ESMTP; ").Append(date).Append("\r\n").ToString());
    }

    /// <summary>Reads the lines back.</summary>
    /// <returns>The envelope and where the sent bytes begin; an empty envelope and 0 for a file that was put there by hand.</returns>
    public static (InboxEnvelope Envelope, int Length) Read(ReadOnlySpan<byte> file)
    {
        var sender = "";
        var recipients = new List<string>();
        for (var at = 0; ;)
        {
            var length = file[at..].IndexOf("\r\n"u8);
            var line = length < 0 ? "" : Encoding.UTF8.GetString(file.Slice(at, length));
            at += length + 2;
            if (line.StartsWith(Received, StringComparison.Ordinal))
            {
                return (new InboxEnvelope(sender, recipients), at);
            }

            if (line.StartsWith(ReturnPath, StringComparison.Ordinal))
            {
                sender = line[ReturnPath.Length..].TrimEnd('>');
            }
            else if (line.StartsWith(DeliveredTo, StringComparison.Ordinal))
            {
                recipients.Add(line[DeliveredTo.Length..]);
            }
            else
            {
                return (new InboxEnvelope("", []), 0);
            }
        }
    }
}
