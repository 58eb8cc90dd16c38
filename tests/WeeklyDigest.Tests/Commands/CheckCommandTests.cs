namespace WeeklyDigest.Tests.Commands;

public sealed class CheckCommandTests : IDisposable
{
    private readonly Workspace workspace = new();

    public void Dispose() => workspace.Dispose();

    [Fact]
    public async Task An_issue_without_problems_is_ready_and_no_database_is_made()
    {
        workspace.WithWeek1();
        var result = await workspace.RunHereAsync("check", "issues/week-1.md", "--json");
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Equal(
            """
            {
              "issue": "week-1-the-hardware-lottery-and-numpy-and-more",
              "ok": true,
              "findings": []
            }

            """,
            result.Out.ReplaceLineEndings("\n"));
        Assert.False(Directory.Exists(workspace.PathOf("data")));
    }

    [Fact]
    public async Task Errors_have_severity_code_line_and_column()
    {
        workspace.Write("issues/bad.md", "---\ntitle: x\n---\nHello {{ nmae }}.\n");
        var result = await workspace.RunHereAsync("check", "bad", "--json");
        Assert.Equal((1, ""), (result.ExitCode, result.Error));
        Assert.Contains("\"ok\": false", result.Out, StringComparison.Ordinal);
        Assert.Matches("""\{\s+"severity": "error",\s+"code": "[a-z-]+",\s+"message": "There is no merge slot 'nmae'.*",\s+"line": 4,\s+"column": 7\s+\}""", result.Out);

        var lines = await workspace.RunHereAsync("check", "bad");
        Assert.Equal(1, lines.ExitCode);
        Assert.Matches(@"bad\.md:4:7: error [a-z-]+: There is no merge slot 'nmae'", lines.Out);
        Assert.EndsWith("bad: 1 error.", lines.Out.TrimEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Errors_are_told_also_when_the_database_cannot_be_used()
    {
        workspace.Write("issues/bad.md", "---\ntitle: x\n---\nHello {{ nmae }}.\n");
        workspace.Set("Storage:Provider", "postgres").Set("Storage:ConnectionString", "Host=127.0.0.1;Port=1;Database=x;Username=x");
        var result = await workspace.RunHereAsync("check", "bad");
        Assert.Equal((1, ""), (result.ExitCode, result.Error));
        Assert.Matches(@"bad\.md:4:7: error [a-z-]+: There is no merge slot 'nmae'", result.Out);
        Assert.Matches(@"bad\.md:1:1: warning published-unknown: Whether it was published otherwise cannot be said\. .*127\.0\.0\.1", result.Out);
        Assert.EndsWith("bad: 1 error.", result.Out.TrimEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task So_are_the_warnings_of_an_issue_without_errors()
    {
        workspace.WithSubscribers(1, "friends")
            .Write("issues/a.md", "---\ntitle: x\nlists: [friends, others]\n---\n" + string.Concat(Enumerable.Repeat("A long line of text that says nothing much.\n\n", 3000)));
        workspace.Set("Storage:Provider", "postgres").Set("Storage:ConnectionString", "Host=127.0.0.1;Port=1;Database=x;Username=x");
        var result = await workspace.RunHereAsync("check", "a");
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Contains("warning html-too-large", result.Out, StringComparison.Ordinal);
        Assert.Contains("warning published-unknown", result.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("list-unknown", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_that_is_neither_a_file_nor_in_the_database_is_an_error()
    {
        workspace.WithSubscribers(1, "friends").Write("issues/a.md", "---\ntitle: x\nlists: [friends, foes]\n---\nHello.\n");
        var result = await workspace.RunHereAsync("check", "a");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("a.md:3:1: error list-unknown: There is no list 'foes'; there are: friends.", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_template_that_does_not_compile_is_an_error()
    {
        workspace.Write("templates/issue.cshtml", "@{ this is not C# }");
        workspace.Write("issues/a.md", "---\ntitle: x\n---\nHello.\n");
        var result = await workspace.RunHereAsync("check", "a");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("error template: ", result.Out, StringComparison.Ordinal);
        Assert.Contains("issue.cshtml", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_issue_that_Gmail_would_cut_is_a_warning()
    {
        workspace.Write("issues/a.md", "---\ntitle: x\n---\n" + string.Concat(Enumerable.Repeat("A long line of text that says nothing much.\n\n", 3000)));
        var result = await workspace.RunHereAsync("check", "a");
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("warning html-too-large", result.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("wek-1", "There is no issue 'wek-1' in ISSUES (week-1). Did you mean week-1?")]
    [InlineData("no/such.md", "There is no file ROOT/no/such.md.")]
    [InlineData("issues", "ROOT/issues is a folder; name the issue's file or slug.")]
    [InlineData("", "ROOT is a folder; name the issue's file or slug.")]
    public async Task An_issue_that_is_not_there_is_refused(string name, string expected)
    {
        workspace.Write("issues/week-1.md", "---\ntitle: x\n---\nHello.\n");
        var result = await workspace.RunHereAsync("check", name, "--json");
        Assert.Equal((1, ""), (result.ExitCode, result.Out));
        Assert.Equal(
            expected.Replace("ISSUES", workspace.PathOf("issues"), StringComparison.Ordinal).Replace("ROOT", workspace.Root, StringComparison.Ordinal),
            result.Error.TrimEnd());
    }
}
