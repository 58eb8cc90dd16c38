namespace WeeklyDigest.Publishing;

/// <summary>Orders names as people do: runs of digits by their value, all else without regard to case.</summary>
internal sealed class NaturalOrder : IComparer<string>
{
    public static NaturalOrder Instance { get; } = new();

    /// <inheritdoc/>
    public int Compare(string? x, string? y)
    {
        var left = x.AsSpan();
        var right = y.AsSpan();
        while (!left.IsEmpty && !right.IsEmpty)
        {
            var first = Piece(left);
            var second = Piece(right);
            var order = char.IsAsciiDigit(first[0]) && char.IsAsciiDigit(second[0])
                ? CompareNumbers(first, second)
                : first.CompareTo(second, StringComparison.OrdinalIgnoreCase);
            if (order != 0) return order;
            left = left[first.Length..];
            right = right[second.Length..];
        }
        return left.Length.CompareTo(right.Length);
    }

    private static ReadOnlySpan<char> Piece(ReadOnlySpan<char> text)
    {
        var isNumber = char.IsAsciiDigit(text[0]);
        var length = 1;
        while (length < text.Length && char.IsAsciiDigit(text[length]) == isNumber) length++;
        return text[..length];
    }

    private static int CompareNumbers(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        var first = left.TrimStart('0');
        var second = right.TrimStart('0');
        return first.Length != second.Length ? first.Length.CompareTo(second.Length) : first.CompareTo(second, StringComparison.Ordinal);
    }
}
