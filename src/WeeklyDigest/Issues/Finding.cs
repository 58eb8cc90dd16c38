using System.Globalization;

namespace WeeklyDigest.Issues;

/// <summary>How much a finding weighs.</summary>
public enum Severity
{
    /// <summary>Good to know.</summary>
    Info,

    /// <summary>Should be looked at; does not stop a send.</summary>
    Warning,

    /// <summary>The issue cannot be published.</summary>
    Error,
}

/// <summary>Something preflight has to say about an issue.</summary>
/// <param name="Severity">How much it weighs.</param>
/// <param name="Code">A stable name in kebab-case, such as <c>title-missing</c>.</param>
/// <param name="Message">What is wrong and what to do, one sentence or two.</param>
/// <param name="Line">Line in the file, from 1.</param>
/// <param name="Column">Column in UTF-16 units, from 1.</param>
public sealed record Finding(Severity Severity, string Code, string Message, int Line, int Column)
{
    /// <summary>The finding the way compilers write them, <c>file:line:column: severity code: message</c>, so that editors can jump to the place.</summary>
    public string In(string path) => string.Create(CultureInfo.InvariantCulture, $"{path}:{Line}:{Column}: {Severity.ToString().ToLowerInvariant()} {Code}: {Message}");
}
