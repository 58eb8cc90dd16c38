using WeeklyDigest.Server.Public;

namespace WeeklyDigest.Server.Inbox;

/// <summary>How a message is shown; stands in its page's address, so that each look is a link.</summary>
/// <param name="View">html, text, headers or source.</param>
/// <param name="Width">narrow (320 px, a small phone), wide (640 px, a mail program's pane) or full.</param>
/// <param name="Scheme">light or dark.</param>
internal sealed record MessageLook(string View, string Width, string Scheme)
{
    private static readonly string[] Views = ["html", "text", "headers", "source"];
    private static readonly string[] Widths = ["wide", "narrow", "full"];
    private static readonly string[] Schemes = ["light", "dark"];

    /// <summary>From the address; what is missing or unknown is the first of its kind.</summary>
    public static MessageLook From(string? view, string? width, string? scheme)
        => new(Known(Views, view), Known(Widths, width), Known(Schemes, scheme));

    /// <summary>The links that change it.</summary>
    public Html Links(string path) => Html.Of(
        $"""
        <nav class="look" aria-label="How to show the message">
        {Group("View", Views, View, path, value => this with { View = value })}
        {Html.When(View == "html", () => Group("Width", Widths, Width, path, value => this with { Width = value }))}
        {Html.When(View == "html", () => Group("Colours", Schemes, Scheme, path, value => this with { Scheme = value }))}
        </nav>
        """);

    private static Html Group(string label, string[] values, string current, string path, Func<string, MessageLook> change) => Html.Of(
        $"""
        <ul aria-label="{label}">
        {values.Select(value => Html.Of($"<li><a href=\"{path}{change(value).Query()}\" data-look=\"{value}\"{Html.Trusted(value == current ? " aria-current=\"true\"" : "")}>{Label(value)}</a></li>"))}
        </ul>
        """);

    private string Query() => $"?view={View}&width={Width}&scheme={Scheme}";

    private static string Label(string value) => value == "html" ? "HTML" : char.ToUpperInvariant(value[0]) + value[1..];

    private static string Known(string[] values, string? value) => values.Contains(value) ? value! : values[0];
}
