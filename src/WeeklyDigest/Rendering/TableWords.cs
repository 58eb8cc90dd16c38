using AngleSharp.Dom;

namespace WeeklyDigest.Rendering;

/// <summary>
/// Says of a table whether its words may stay whole. A mail program that may break every word makes narrow columns unreadable; one that
/// may break none lets a wide table push the page out of a phone's screen.
/// </summary>
internal static class TableWords
{
    // Characters of the table's type, capitals too, that fit beside each other on a screen of 320 and of 360, and in a letter of 600 points.
    private const int Narrow = 28;
    private const int Usual = 33;
    private const int Wide = 58;

    /// <summary>Gives the table the class <c>fits</c> when its words fit on every screen, <c>snug</c> when they fit on that of a usual phone, <c>roomy</c> when they fit in the whole letter.</summary>
    public static void Classify(IElement table)
    {
        var rows = table.QuerySelectorAll("tr").Select(row => row.Children.Select(LongestWord).ToList()).ToList();
        var columns = rows.Count == 0 ? 0 : rows.Max(row => row.Count);
        var needed = Enumerable.Range(0, columns).Sum(column => rows.Max(row => column < row.Count ? row[column] : 0) + 2);
        if (needed <= Narrow) table.ClassName = "fits";
        else if (needed <= Usual) table.ClassName = "snug";
        else if (needed <= Wide) table.ClassName = "roomy";
    }

    private static int LongestWord(IElement cell)
        => cell.TextContent.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(TextWrap.Columns).DefaultIfEmpty(0).Max();
}
