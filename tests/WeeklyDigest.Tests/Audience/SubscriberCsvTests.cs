using System.Text;
using WeeklyDigest.Audience;

namespace WeeklyDigest.Tests.Audience;

public sealed class SubscriberCsvTests
{
    [Fact]
    public void Rows_carry_address_name_and_attributes_with_their_lines()
    {
        var (rows, problems) = Read("email,name,city,Favourite colour\r\nann@example.org,Ann,Köln,blue\r\nben@example.org,,,\r\n");
        Assert.Empty(problems);
        Assert.Equal(["2 ann@example.org Ann city=Köln favourite_colour=blue", "3 ben@example.org -"], rows);
    }

    [Fact]
    public void What_has_no_normal_form_is_an_underscore_in_a_columns_name()
    {
        var (rows, problems) = Read("email,Home\uFFFEtown\nann@example.org,Ulm\n");
        Assert.Empty(problems);
        Assert.Equal(["2 ann@example.org - home_town=Ulm"], rows);
        Assert.StartsWith("Line 1: no column is named 'email'", Assert.Throws<FormatException>(() => Read("e\uFFFEmail\n")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("\r")]
    public void Every_kind_of_line_end_counts_once_also_inside_quotes(string newline)
    {
        var text = "email,note\n\nann@example.org,\"one\ntwo\nthree\"\nben@example.org,\nnobody,\n".Replace("\n", newline, StringComparison.Ordinal);
        var (rows, problems) = Read(text);
        Assert.Equal(["6 ben@example.org -"], rows);
        Assert.Equal([3, 7], problems.Select(problem => problem.Line));
    }

    [Theory]
    [InlineData("email,name\nann@example.org,\"Ann, of \"\"Ulm\"\"\"")]
    [InlineData("email;name\nann@example.org;Ann, of \"Ulm\"")]
    [InlineData("\"email\";\"name\"\n\"ann@example.org\" ; \"Ann, of \"\"Ulm\"\"\" \n")]
    [InlineData("name,E-Mail\n\"Ann, of \"\"Ulm\"\"\",ann@example.org")]
    [InlineData("\uFEFF\n\n EMAIL Address ;Name;\nann@example.org; Ann, of \"Ulm\" ;\n;;\n")]
    public void Separator_quotes_header_and_byte_order_mark_may_vary(string text)
    {
        var (rows, problems) = Read(text);
        Assert.Empty(problems);
        Assert.EndsWith("ann@example.org Ann, of \"Ulm\"", Assert.Single(rows), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nobody,Ann,", "'nobody' is not an address: it has no @.")]
    [InlineData("Ann <ann@example.org>,Ann,", "'Ann <ann@example.org>' is not an address: it holds a space.")]
    [InlineData("a\u0007b@example.org,Ann,", "'a·b@example.org' is not an address: it holds a control character.")]
    [InlineData(",Ann,", "There is no address in this row: , Ann, .")]
    [InlineData("ann@example.org,Ann", "The row of 'ann@example.org' has 2 fields, the header 3. Is a separator missing or one too many? A field that holds one has to be quoted.")]
    [InlineData("ann@example.org,Ann,Ulm,more", "The row of 'ann@example.org' has 4 fields, the header 3. Is a separator missing or one too many? A field that holds one has to be quoted.")]
    [InlineData("ann@example.org,\"Ann\" B,Ulm", "In the row of 'ann@example.org', text stands behind a closing quotation mark; inside a quoted field write \"\" for a quotation mark.")]
    [InlineData("ann@example.org,\"Ann\r\nBcc: eve@example.org\",Ulm", "The name holds a line break or another control character (U+000D) in the row of 'ann@example.org'.")]
    [InlineData("ann@example.org,A\0nn,Ulm", "The name holds a line break or another control character (U+0000) in the row of 'ann@example.org'.")]
    [InlineData("ann@example.org,A\u2028nn,Ulm", "The name holds a line break or another control character (U+2028) in the row of 'ann@example.org'.")]
    [InlineData("ann@example.org,Ann,\"U\nlm\"", "The city holds a line break or another control character (U+000A) in the row of 'ann@example.org'.")]
    public void A_row_that_cannot_be_used_is_reported_with_its_line_and_skipped(string row, string message)
    {
        var (rows, problems) = Read($"email,name,city\nben@example.org,Ben,Bonn\n{row}\ncid@example.org,Cid,Celle\n");
        Assert.Equal(new RowProblem(3, message), Assert.Single(problems));
        Assert.Equal(["ben@example.org", "cid@example.org"], rows.Select(text => text.Split(' ')[1]));
    }

    [Fact]
    public void Names_and_attributes_have_their_lengths()
    {
        var (rows, problems) = Read(
            $"email,name,city\nann@example.org,{new string('n', 200)},{new string('c', 500)}\nben@example.org,{new string('n', 201)},\ncid@example.org,,{new string('c', 501)}");
        Assert.Single(rows);
        Assert.Equal(
            ["The name is longer than 200 characters in the row of 'ben@example.org'.", "The city is longer than 500 characters in the row of 'cid@example.org'."],
            problems.Select(problem => problem.Message));
    }

    [Theory]
    [InlineData("", "The file is empty. Its first line has to name the columns: email,name")]
    [InlineData("\n\r\n,,\n", "The file is empty. Its first line has to name the columns: email,name")]
    [InlineData("ann@example.org,Ann\n", "Line 1: no column is named 'email'; found: ann@example.org, Ann. The first line has to name the columns, separated by commas or semicolons: email,name")]
    [InlineData("\nemail\tname\n", "Line 2: no column is named 'email'; found: email\tname. The first line has to name the columns, separated by commas or semicolons: email,name")]
    [InlineData("email,E-Mail\n", "Line 1: two columns are named 'email'.")]
    [InlineData("email,City,city\n", "Line 1: two columns are named 'city'.")]
    [InlineData("email,,city\n", "Line 1: column 2 has no name.")]
    [InlineData("email,name\nann@example.org,\"Ann\nben@example.org,Ben\n", "Line 2: the quotation mark that opens here is never closed.")]
    public void A_file_that_cannot_be_used_is_refused_with_the_place(string text, string message)
        => Assert.Equal(message.Replace('\t', '·'), Assert.Throws<FormatException>(() => Read(text)).Message);

    [Fact]
    public void Other_encodings_are_refused_with_the_line()
    {
        const string Text = "email,name\nann@example.org,Ann\nben@example.org,Jörg\n";
        Assert.Equal("Line 3 is not UTF-8 text. Save the file as CSV in UTF-8.", Refusal(Encoding.Latin1.GetBytes(Text)));
        foreach (var utf16 in (Encoding[])[Encoding.Unicode, Encoding.BigEndianUnicode])
            Assert.Equal("Line 1: the file is UTF-16. Save it as CSV in UTF-8.", Refusal([.. utf16.GetPreamble(), .. utf16.GetBytes(Text)]));
        Assert.StartsWith("Line 1: no column is named 'email'; found: e·m·a·i·l", Refusal(Encoding.Unicode.GetBytes(Text)), StringComparison.Ordinal);
        Assert.Equal("Line 1 is not UTF-8 text. Save the file as CSV in UTF-8.", Refusal([0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]));
        Assert.Equal("Line 2 is not UTF-8 text. Save the file as CSV in UTF-8.", Refusal([.. "email\nann@example.org\u00e4"u8[..^1]]));
    }

    [Fact]
    public void Characters_that_cross_a_buffers_end_stay_whole()
    {
        var text = new StringBuilder("email,name\n");
        for (var i = 0; i < 30_000; i++) text.Append(i).Append("@example.org,日本").Append(i % 7 == 0 ? "\r\n" : "\n");
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(text.ToString()));
        var line = 1;
        foreach (var row in SubscriberCsv.Read(stream, problem => Assert.Fail(problem.Message)))
        {
            Assert.Equal(($"{line - 1}@example.org", "日本", line + 1), (row.Address.Value, row.Name, (int)row.Line));
            line++;
        }
        Assert.Equal(30_001, line);
    }

    [Theory]
    [InlineData("x", "Line 2: the row that begins here is longer than 100,000 characters. Is a quotation mark or a line break missing?")]
    [InlineData(",", "Line 2: the row that begins here is longer than 100,000 characters. Is a quotation mark or a line break missing?")]
    [InlineData("\"\n\",", "Line 2: the row that begins here is longer than 100,000 characters. Is a quotation mark or a line break missing?")]
    public void A_gigabyte_without_an_end_takes_little_memory(string repeated, string message)
    {
        using var stream = new EndlessStream("email\n", repeated, length: 1L << 30);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var problem = Assert.Throws<FormatException>(() => SubscriberCsv.Read(stream, row => Assert.Fail(row.Message)).Count());
        Assert.Equal(message, problem.Message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 20_000_000);
    }

    [Theory]
    [InlineData("email,name,city\nann@example.org,Ann,Rome\nben@ex", "Line 3: the last row has 1 field, the header 3, and its line has no end: the file was cut off, or is still being written. Nothing of it was read in; try again when it is whole.")]
    [InlineData("email,name,city\nann@example.org,An", "Line 2: the last row has 2 fields, the header 3, and its line has no end: the file was cut off, or is still being written. Nothing of it was read in; try again when it is whole.")]
    [InlineData("email,name\nann@example.org,\"An", "Line 2: the quotation mark that opens here is never closed.")]
    public void A_file_that_was_cut_off_is_refused_as_a_whole(string text, string refusal) => Assert.Equal(refusal, Refusal(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void A_last_line_without_an_end_is_a_row_when_its_fields_are_there()
    {
        Assert.Equal(["2 ann@example.org Ann"], Read("email,name\nann@example.org,Ann").Rows);
        Assert.Equal(["2 ann@example.org -"], Read("email,name\nann@example.org,").Rows);
    }

    private static string Refusal(byte[] file)
    {
        using var stream = new MemoryStream(file);
        return Assert.Throws<FormatException>(() => SubscriberCsv.Read(stream, _ => { }).Count()).Message;
    }

    private static (List<string> Rows, List<RowProblem> Problems) Read(string text)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(text));
        var problems = new List<RowProblem>();
        var rows = SubscriberCsv.Read(stream, problems.Add)
            .Select(row => string.Join(' ', [$"{row.Line}", row.Address.Value, row.Name ?? "-", .. row.Attributes.Select(pair => $"{pair.Key}={pair.Value}")]));
        return (rows.ToList(), problems);
    }

    /// <summary>A beginning and then one text over and over, up to a length, without holding it.</summary>
    private sealed class EndlessStream(string beginning, string repeated, long length) : Stream
    {
        private readonly byte[] block = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(repeated, 64 * 1024)));
        private readonly byte[] start = Encoding.UTF8.GetBytes(beginning);

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => length;

        public override long Position { get; set; }

        public override int Read(byte[] buffer, int offset, int count)
        {
            if (Position >= length) return 0;
            var (source, at) = Position < start.Length ? (start, (int)Position) : (block, (int)((Position - start.Length) % block.Length));
            var read = (int)Math.Min(Math.Min(count, source.Length - at), length - Position);
            source.AsSpan(at, read).CopyTo(buffer.AsSpan(offset));
            Position += read;
            return read;
        }

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
