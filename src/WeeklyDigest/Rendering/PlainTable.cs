using Markdig.Extensions.Tables;
using Markdig.Syntax;

namespace WeeklyDigest.Rendering;

/// <summary>Writes a table as columns where they fit, else row by row with the headings before the values.</summary>
/// <param name="inlines">Writes what is in the cells.</param>
internal sealed class PlainTable(PlainInlines inlines)
{
    private const string Gap = "  ";

    /// <summary>The lines of a table.</summary>
    public IEnumerable<string> Lines(Table table, int width)
    {
        var rows = table.OfType<TableRow>().Select(row => (row.IsHeader, Cells: row.OfType<TableCell>().Select(Text).ToList())).ToList();
        var count = rows.Count == 0 ? 0 : rows.Max(row => row.Cells.Count);
        var widths = Enumerable.Range(0, count).Select(column => rows.Max(row => TextWrap.Columns(Cell(row.Cells, column)))).ToList();
        return widths.Sum() + Gap.Length * (count - 1) <= width ? Columns(rows, widths, [.. table.ColumnDefinitions.Select(column => column.Alignment == TableColumnAlign.Right)]) : Records(rows, count, width);
    }

    private static IEnumerable<string> Columns(List<(bool IsHeader, List<string> Cells)> rows, List<int> widths, List<bool> toRight)
    {
        foreach (var (isHeader, cells) in rows)
        {
            yield return string.Join(Gap, widths.Select((width, column) => Padded(Cell(cells, column), width, column < toRight.Count && toRight[column]))).TrimEnd();
            if (isHeader) yield return string.Join(Gap, widths.Select(width => new string('-', width)));
        }
    }

    private static IEnumerable<string> Records(List<(bool IsHeader, List<string> Cells)> rows, int count, int width)
    {
        var header = rows.Find(row => row.IsHeader).Cells ?? [];
        var first = true;
        foreach (var (_, cells) in rows.Where(row => !row.IsHeader))
        {
            if (!first) yield return "";
            first = false;
            var values = Enumerable.Range(0, count).Select(column => (Name: Cell(header, column), Value: Cell(cells, column)));
            foreach (var (name, value) in values.Where(cell => cell.Value.Length > 0))
                foreach (var line in TextWrap.Lines(name.Length == 0 ? value : $"{name}: {value}", width)) yield return line;
        }
    }

    private static string Padded(string text, int width, bool toRight)
    {
        var space = new string(' ', width - TextWrap.Columns(text));
        return toRight ? space + text : text + space;
    }

    private static string Cell(List<string> cells, int column) => column < cells.Count ? cells[column] : "";

    private string Text(TableCell cell) => string.Join(' ', cell.OfType<LeafBlock>().Select(leaf => inlines.Text(leaf.Inline).Replace('\n', ' ')));
}
