using System.Text;
using MimeKit;
using MimeKit.IO;

namespace WeeklyDigest.Smtp;

/// <summary>
/// A MimeMessage that is only a shell around bytes encoded before: MailKit asks it for headers and body and gets what was composed,
/// octet for octet. One per connection, filled anew for each message.
/// </summary>
internal sealed class EncodedMessage : IDisposable
{
    private readonly EncodedPart _part = new();
    private readonly FormatOptions _options = FormatOptions.Default.Clone();
    private Header? _header;

    public EncodedMessage()
    {
        Message = new MimeMessage { Body = _part };
        // MimeKit insists on these and writes each that is not hidden; what was composed has its own.
        _options.HiddenHeaders.UnionWith([HeaderId.MimeVersion, HeaderId.ContentType, HeaderId.ContentTransferEncoding]);
    }

    public MimeMessage Message { get; }

    /// <summary>The size on the wire, without stuffed dots (RFC 1870 section 5).</summary>
    public long Size { get; private set; }

    /// <summary>Called when all but the last octet have been written, just before that one is.</summary>
    public Action? Sealing { get => _part.Sealing; set => _part.Sealing = value; }

    /// <summary>Called when the first octet of the body is about to be written.</summary>
    public Action? Beginning { get => _part.Beginning; set => _part.Beginning = value; }

    /// <summary>Takes a composed message.</summary>
    /// <returns>How MailKit has to write it.</returns>
    public FormatOptions Fill(ComposedMessage composed)
    {
        var bytes = composed.Bytes;
        var colon = bytes.Span.IndexOf((byte)':');
        var headerEnd = bytes.Span.IndexOf("\r\n\r\n"u8) + 2;
        if (colon < 1 || headerEnd < colon) throw new ArgumentException("Not a composed message.", nameof(composed));
        SetHeader(bytes.Span[..colon], bytes.Span[(colon + 1)..headerEnd]);
        _part.Bytes = bytes[(headerEnd + 2)..];
        _part.ContentTransferEncoding = composed.EightBit ? ContentEncoding.EightBit : ContentEncoding.SevenBit;
        _options.International = composed.Utf8Headers;
        Size = bytes.Length;
        return _options;
    }

    public void Dispose() => Message.Dispose();

    /// <summary>The whole header block as one header: the first field's name, and everything after its colon as a raw value.</summary>
    private void SetHeader(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (_header is null || !Encoding.ASCII.GetBytes(_header.Field).AsSpan().SequenceEqual(name))
        {
            Message.Headers.Clear();
            _header = new Header(Encoding.ASCII.GetString(name), "");
            Message.Headers.Add(_header);
            Message.Headers.Add(HeaderId.MimeVersion, "1.0");
        }
        _header.SetRawValue(value.ToArray());
    }

    private sealed class EncodedPart() : MimePart("text", "plain")
    {
        public ReadOnlyMemory<byte> Bytes { get; set; }

        public Action? Sealing { get; set; }

        public Action? Beginning { get; set; }

        public override void WriteTo(FormatOptions options, Stream stream, bool contentOnly, CancellationToken cancellationToken = default)
        {
            Beginning?.Invoke();
            // For DATA, MailKit puts its dot-stuffing in between, which looks at every octet twice and costs more than all the rest. The
            // same is done here by a search. The header block went through MailKit's; we begin at the start of a line, as it does.
            if (stream is FilteredStream stuffing) DotStuffing.Write(Bytes.Span[..^1], stuffing.Source);
            else stream.Write(Bytes.Span[..^1]);
            Sealing?.Invoke();
            stream.Write(Bytes.Span[^1..]);
        }
    }
}
