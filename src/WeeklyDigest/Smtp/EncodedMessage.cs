using System.Runtime.InteropServices;
using System.Text;
using MimeKit;
using MimeKit.IO;

namespace WeeklyDigest.Smtp;

/// <summary>
/// A MimeMessage that is only a shell around bytes encoded before: MailKit asks its one part for the content and gets what was composed, header
/// block and all, octet for octet. One per connection, filled anew for each message.
/// </summary>
internal sealed class EncodedMessage : IDisposable
{
    private readonly FormatOptions _options = FormatOptions.Default.Clone();
    private Shell? _sevenBit;
    private Shell? _eightBit;

    public EncodedMessage()
    {
        // What was composed has its own.
        _options.HiddenHeaders.UnionWith([HeaderId.ContentType, HeaderId.ContentTransferEncoding]);
    }

    /// <summary>The size on the wire, without stuffed dots (RFC 1870 section 5).</summary>
    public long Size { get; private set; }

    /// <summary>Takes a composed message.</summary>
    /// <param name="composed">The message.</param>
    /// <param name="beginning">Called when its first octet is about to be written.</param>
    /// <param name="sealing">Called when all but the last octet have been written, just before that one is.</param>
    /// <returns>The message, and how MailKit has to write it.</returns>
    public (MimeMessage Message, FormatOptions Options) Fill(ComposedMessage composed, Action beginning, Action sealing)
    {
        var shell = composed.EightBit ? _eightBit ??= new("Content-Transfer-Encoding: 8bit\r\n") : _sevenBit ??= new("");
        (shell.Part.Bytes, shell.Part.Beginning, shell.Part.Sealing) = (composed.Bytes, beginning, sealing);
        Size = composed.Bytes.Length;
        _options.International = composed.Utf8Headers;
        return (shell.Message, _options);
    }

    public void Dispose()
    {
        _sevenBit?.Message.Dispose();
        _eightBit?.Message.Dispose();
    }

    /// <summary>
    /// A message as MimeKit reads it where the header block does not end: to such a one it adds neither an empty line nor a field of its own (the
    /// older parser does not keep that apart). Its header says what MailKit has to know for BODY=8BITMIME, and is hidden.
    /// </summary>
    private sealed class Shell
    {
        private const string Type = "application/x-encoded-before";
        private static readonly ParserOptions Options = ParserOptions.Default.Clone();

        static Shell() => Options.RegisterMimeType(Type, typeof(EncodedPart));

        public Shell(string encoding)
        {
            using var header = new MemoryStream(Encoding.ASCII.GetBytes($"Content-Type: {Type}\r\n{encoding}"));
            Message = new ExperimentalMimeParser(Options, header).ParseMessage();
            Part = (EncodedPart)Message.Body!;
        }

        public MimeMessage Message { get; }

        public EncodedPart Part { get; }
    }

    /// <summary>The part that MimeKit makes, and asks.</summary>
    public sealed class EncodedPart(MimeEntityConstructorArgs args) : MimePart(args)
    {
        private readonly byte[] _last = new byte[1];

        internal ReadOnlyMemory<byte> Bytes { get; set; }

        internal Action? Beginning { get; set; }

        internal Action? Sealing { get; set; }

        public override void WriteTo(FormatOptions options, Stream stream, bool contentOnly, CancellationToken cancellationToken = default)
        {
            Beginning?.Invoke();
            // For DATA, MailKit puts its dot-stuffing in between, which looks at every octet twice and costs more than all the rest. The same is
            // done here by a search.
            var stuffing = stream as FilteredStream;
            var wire = stuffing?.Source ?? stream;
            // As arrays: of a span MailKit's stream makes a copy first, in an array that stays with each thread (Stream.Write).
            var bytes = MemoryMarshal.TryGetArray(Bytes, out var array) ? array : new(Bytes.ToArray());
            var rest = bytes[..^1];
            if (stuffing is not null) DotStuffing.Write(rest, wire);
            else wire.Write(rest.Array!, rest.Offset, rest.Count);
            // From here on the end can leave, and then the bytes are another message's.
            _last[0] = bytes[^1];
            Sealing?.Invoke();
            wire.Write(_last, 0, 1);
        }
    }
}
