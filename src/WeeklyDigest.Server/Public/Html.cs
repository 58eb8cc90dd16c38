using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;

namespace WeeklyDigest.Server.Public;

/// <summary>
/// Markup. It is written as an interpolated string, and what is put into its holes is encoded, unless it is markup itself:
/// <c>Html.Of($"&lt;p&gt;{name}&lt;/p&gt;")</c>. Attribute values always stand in double quotes.
/// </summary>
internal sealed class Html
{
    /// <summary>Nothing.</summary>
    public static readonly Html Empty = new("");

    private static readonly HtmlEncoder Encoder = HtmlEncoder.Create(UnicodeRanges.All);
    private readonly string markup;

    private Html(string markup) => this.markup = markup;

    /// <summary>Markup from an interpolated string.</summary>
    public static Html Of(Writer writer) => new(writer.ToString());

    /// <summary>Text, encoded.</summary>
    public static Html Text(string? text) => new(Encoder.Encode(text ?? ""));

    /// <summary>Markup that was made elsewhere and is known to be safe.</summary>
    public static Html Trusted(string markup) => new(markup);

    /// <summary>One after the other, each on its own line.</summary>
    public static Html Join(IEnumerable<Html> parts) => new(string.Join('\n', parts));

    /// <summary>The markup when the condition holds, else nothing.</summary>
    public static Html When(bool condition, Func<Html> markup) => condition ? markup() : Empty;

    /// <summary>The markup.</summary>
    public override string ToString() => markup;

    /// <summary>Encodes the holes of an interpolated string.</summary>
    [InterpolatedStringHandler]
    public readonly ref struct Writer
    {
        private readonly StringBuilder text;

        /// <summary>Called by the compiler.</summary>
        public Writer(int literalLength, int holes) => text = new StringBuilder(literalLength + (holes * 16));

        /// <summary>Called by the compiler for what stands between the holes.</summary>
        public void AppendLiteral(string literal) => text.Append(literal);

        /// <summary>Called by the compiler for a hole that holds markup.</summary>
        public void AppendFormatted(Html? part) => text.Append(part?.markup);

        /// <summary>Called by the compiler for a hole that holds several pieces of markup.</summary>
        public void AppendFormatted(IEnumerable<Html> parts) => text.AppendJoin('\n', parts);

        /// <summary>Called by the compiler for a hole that holds text.</summary>
        public void AppendFormatted(string? value) => text.Append(Encoder.Encode(value ?? ""));

        /// <summary>Called by the compiler for a number.</summary>
        public void AppendFormatted(long value) => text.Append(value);

        /// <inheritdoc/>
        public override string ToString() => text.ToString();
    }
}
