namespace WeeklyDigest.Rendering;

/// <summary>A template cannot be used; the message says which, where, and what to do.</summary>
/// <param name="message">What is wrong.</param>
/// <param name="inner">The cause, or null.</param>
public sealed class TemplateException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The place comes first, as compilers write it: <c>templates/issue.cshtml(3,14): what is wrong</c>.</summary>
    internal static TemplateException At(string file, int line, int column, string problem, Exception? inner = null)
        => new($"{file}({line},{column}): {problem}", inner);
}
