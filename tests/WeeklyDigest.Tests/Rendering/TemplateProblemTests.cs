using WeeklyDigest.Rendering;
using WeeklyDigest.Tests.Issues;

namespace WeeklyDigest.Tests.Rendering;

public sealed class TemplateProblemTests
{
    private const string Page = "@model IssueView\n<!DOCTYPE html><html><head><title>t</title></head><body>\n";

    [Theory]
    [InlineData("<p>Dear {{ nmae }}</p>", "issue.cshtml(3,9): There is no merge slot 'nmae'")]
    [InlineData("<p>Dear {{ name", "issue.cshtml(3,9): This merge slot is not closed")]
    [InlineData("<p title=x>@Model.Tilte</p>", "issue.cshtml(3,19): 'IssueView' does not contain a definition for 'Tilte'")]
    [InlineData("<p>@if (true) { <b>x </p>", "issue.cshtml(3,")]
    [InlineData("<p>@(Model.Entries[99].PlainTitle)</p>", "issue.cshtml(3,")]
    public async Task A_mistake_in_a_view_is_told_with_its_place(string body, string message)
        => Assert.Contains(message, (await ProblemAsync("issue.cshtml", Page + body)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("<style>p { color: {{ name }} }</style>", "in a <style>")]
    [InlineData("<script>var name = '{{ name }}';</script>", "in a <script>")]
    [InlineData("<!-- {{ name }} -->", "in a comment")]
    [InlineData("<p {{ name }}>x</p>", "in the name of an attribute of <p>")]
    [InlineData("<x{{ name }}>x</p>", "in the name of an element")]
    [InlineData("<p style=\"color:{{ name }}\">x</p>", "in the attribute style of <p>")]
    [InlineData("<p onclick=\"{{ attributes.city }}\">x</p>", "in the attribute onclick of <p>")]
    public async Task A_slot_where_no_value_is_safe_is_refused(string body, string message)
    {
        var problem = await ProblemAsync("issue.cshtml", Page + body);
        Assert.StartsWith("the merge slot", problem.Message[(problem.Message.IndexOf("issue.cshtml: ", StringComparison.Ordinal) + 14)..], StringComparison.Ordinal);
        Assert.Contains(message, problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a {\n  color: var(--ikn); }", "styles.css(2,10): The variable --ikn is not set")]
    [InlineData("@import url(https://example.com/a.css);", "remove @import")]
    [InlineData("@font-face { font-family: X; src: url(https://example.com/x.woff2); }", "remove @font-face")]
    public async Task A_mistake_in_the_styles_is_told(string css, string message)
        => Assert.Contains(message, (await ProblemAsync("styles.css", css)).Message, StringComparison.Ordinal);

    [Fact]
    public async Task All_unknown_slots_are_told_at_once()
    {
        var problem = await ProblemAsync("issue.text.cshtml", "@model IssueView\n{{ one }}\n  {{ two }}\n");
        Assert.Contains("issue.text.cshtml(2,1)", problem.Message, StringComparison.Ordinal);
        Assert.Contains("issue.text.cshtml(3,3)", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_missing_template_is_named()
    {
        using var folder = new TemporaryFolder();
        var problem = await Assert.ThrowsAsync<TemplateException>(() => RenderAsync(folder));
        Assert.Equal(
            new[] { "issue.cshtml", "issue.text.cshtml", "styles.css" }.Select(file => $"There is no template {folder.File(file)}; restore it, or set Paths:Templates to the folder that has it."),
            problem.Message.Split('\n'));
    }

    [Fact]
    public async Task What_is_no_regular_file_is_told_before_it_is_opened_beside_what_else_is_wrong()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Pipes and devices are told from files on Linux alone.");
        using var folder = new TemporaryFolder();
        File.CreateSymbolicLink(folder.File("issue.cshtml"), "/dev/zero");
        folder.Write("issue.text.cshtml", "@model IssueView\n{{ nmae }}\n");
        NamedPipe.Make(folder.File("styles.css"));

        var cancel = TestContext.Current.CancellationToken;
        var problem = await Task.Run(() => Assert.ThrowsAsync<TemplateException>(() => RenderAsync(folder)), cancel).WaitAsync(TimeSpan.FromSeconds(30), cancel);
        var hashing = await Task.Run(() => Assert.ThrowsAsync<TemplateException>(() => HashAsync(folder)), cancel).WaitAsync(TimeSpan.FromSeconds(30), cancel);

        var device = $"The template {folder.File("issue.cshtml")} is a device, and no regular file; restore it, or set Paths:Templates to the folder that has it.";
        var pipe = $"The template {folder.File("styles.css")} is a pipe, and no regular file; restore it, or set Paths:Templates to the folder that has it.";
        var lines = problem.Message.Split('\n');
        Assert.Equal((3, device, pipe), (lines.Length, lines[0], lines[2]));
        Assert.Contains("issue.text.cshtml(2,1): There is no merge slot 'nmae'", lines[1], StringComparison.Ordinal);
        Assert.Equal($"{device}\n{pipe}", hashing.Message);
    }

    [Fact]
    public async Task A_changed_view_is_used_at_once()
    {
        var issue = Samples.ValidBody("Text.");
        var one = await Rendered.WithTemplatesAsync(issue, ("issue.text.cshtml", "@model IssueView\none @Model.Newsletter {{ name }}"));
        var two = await Rendered.WithTemplatesAsync(issue, ("issue.text.cshtml", "@model IssueView\ntwo @Model.Newsletter {{ name }}"));
        Assert.Equal("one Weekly Digest Ann\n", one.Text.Fill(Rendered.Ann));
        Assert.Equal("two Weekly Digest Ann\n", two.Text.Fill(Rendered.Ann));
    }

    private static Task<RenderedEmail> RenderAsync(TemporaryFolder templates)
        => Rendered.Renderer(templates.Path).RenderAsync(Rendered.WeekOne(), Rendered.Newsletter, Rendered.Date, TestContext.Current.CancellationToken);

    private static Task<string> HashAsync(TemporaryFolder templates)
        => Rendered.Renderer(templates.Path).SourceHashAsync(Rendered.WeekOne(), Rendered.Newsletter, Rendered.Date, TestContext.Current.CancellationToken);

    private static Task<TemplateException> ProblemAsync(string file, string text)
        => Assert.ThrowsAsync<TemplateException>(() => Rendered.WithTemplatesAsync(Samples.ValidBody("Text."), (file, text)));
}
