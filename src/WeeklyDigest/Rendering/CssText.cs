namespace WeeklyDigest.Rendering;

/// <summary>CSS as text.</summary>
internal static class CssText
{
    /// <summary>The declarations of a style attribute.</summary>
    public static IEnumerable<string> Declarations(string style) => Split(style, ';');

    /// <summary>What stands between separators; a separator in quotes or brackets is none.</summary>
    public static IEnumerable<string> Split(string style, char separator)
    {
        var start = 0;
        var depth = 0;
        var quote = '\0';
        for (var at = 0; at < style.Length; at++)
        {
            var character = style[at];
            if (quote != '\0') quote = character == quote ? '\0' : quote;
            else if (character is '"' or '\'') quote = character;
            else if (character is '(' or '[') depth++;
            else if (character is ')' or ']') depth--;
            else if (character == separator && depth <= 0)
            {
                yield return style[start..at];
                start = at + 1;
            }
        }
        yield return style[start..];
    }
}
