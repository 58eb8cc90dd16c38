namespace WeeklyDigest.Tests.Scenarios;

/// <summary>Templates are compiled when they change, by a process that ends with it; the real program, and what is loaded into it.</summary>
public sealed class CompiledTemplatesTests : IDisposable
{
    private static readonly string[] Compilers = ["Microsoft.CodeAnalysis", "Microsoft.CodeAnalysis.CSharp", "Microsoft.AspNetCore.Razor.Language"];

    private readonly Workspace workspace = new Workspace().WithWeek1();

    public CompiledTemplatesTests() => workspace.Set("Paths:TemplateCache", workspace.PathOf("cache"));

    public void Dispose() => workspace.Dispose();

    [Fact]
    public async Task A_template_is_compiled_once_and_by_a_process_of_its_own()
    {
        var first = await RenderAsync();
        Assert.Equal(["compile-templates", "render"], first.Processes.Select(process => process.Command).Order());
        Assert.Equal(Compilers.Order(), first.Processes.Single(process => process.Command == "compile-templates").Loaded.Intersect(Compilers).Order());
        Assert.Empty(first.Processes.Single(process => process.Command == "render").Loaded.Intersect(Compilers));

        var second = await RenderAsync();
        Assert.Equal("render", Assert.Single(second.Processes).Command);
        Assert.Empty(second.Processes[0].Loaded.Intersect(Compilers));
        Assert.Equal(first.Html, second.Html);

        ChangeText("{{ name }}, this is new.\n");
        var changed = await RenderAsync();
        Assert.Equal(2, changed.Processes.Count);
        Assert.Contains("this is new.", changed.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_file_is_compiled_anew_and_mended()
    {
        var before = await WithCompiledAsync();
        foreach (var file in CacheFiles())
        {
            var bytes = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);
            await File.WriteAllBytesAsync(file, bytes[..^100], TestContext.Current.CancellationToken);
        }
        Assert.Equal(2, (await RenderAsync()).Processes.Count);
        var mended = await RenderAsync();
        Assert.Single(mended.Processes);
        Assert.Equal(before, mended.Html);
    }

    [Fact]
    public async Task Where_nothing_can_be_kept_it_only_takes_longer()
    {
        workspace.Set("Paths:TemplateCache", Path.Combine(workspace.Write("file", ""), "cache"));
        Assert.Equal(2, (await RenderAsync()).Processes.Count);
    }

    [Fact]
    public async Task Two_processes_may_compile_at_once()
    {
        var runs = await Task.WhenAll(workspace.RunAsync("render", "week-1", "--out", "one"), workspace.RunAsync("render", "week-1", "--out", "two"));
        Assert.All(runs, run => Assert.True(run.ExitCode == 0, run.ToString()));
        Assert.Equal(2, CacheFiles().Length);
        Assert.All(CacheFiles(), file => Assert.EndsWith(".view", file, StringComparison.Ordinal));
        Assert.Single((await RenderAsync()).Processes);
    }

    [Fact]
    public async Task Mistakes_in_all_templates_are_told_with_their_places()
    {
        workspace.Write("templates/issue.cshtml", "@model IssueView\n<html><body>\n<p title=x>@Model.Tilte</p></body></html>\n");
        workspace.Write("templates/issue.text.cshtml", "@model IssueView\n@if (true) { <b>x\n");
        var result = await workspace.RunAsync("check", "week-1");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("issue.cshtml(3,19): 'IssueView' does not contain a definition for 'Tilte'", result.Out, StringComparison.Ordinal);
        Assert.Contains("issue.text.cshtml(2,", result.Out, StringComparison.Ordinal);
        Assert.False(Directory.Exists(workspace.PathOf("cache")));
    }

    // What the other tests have compiled, in a folder of this test's own; and the issue as rendered with it.
    private async Task<string> WithCompiledAsync()
    {
        workspace.Set("Paths:TemplateCache", Workspace.TemplateCache);
        var rendered = await RenderAsync();
        workspace.Set("Paths:TemplateCache", workspace.PathOf("cache"));
        PrivateFolder.Create(workspace.PathOf("cache"));
        foreach (var file in Directory.GetFiles(Workspace.TemplateCache, "*.view")) File.Copy(file, workspace.PathOf(Path.Combine("cache", Path.GetFileName(file))));
        return rendered.Html;
    }

    private void ChangeText(string more) => File.AppendAllText(workspace.PathOf("templates/issue.text.cshtml"), more);

    private string[] CacheFiles() => Directory.GetFiles(workspace.PathOf("cache"));

    private async Task<(string Html, string Text, IReadOnlyList<(string Command, IReadOnlyList<string> Loaded)> Processes)> RenderAsync()
    {
        using var loaded = new TemporaryFolder();
        workspace.Environment["DOTNET_STARTUP_HOOKS"] = typeof(StartupHook).Assembly.Location;
        workspace.Environment[StartupHook.FolderVariable] = loaded.Path;
        var result = await workspace.RunAsync("render", "week-1", "--out", "out", "--as", "ann@example.org");
        Assert.True(result.ExitCode == 0, result.ToString());
        var processes = Directory.GetFiles(loaded.Path).Select(File.ReadAllLines)
            .Select(lines => (lines[0], (IReadOnlyList<string>)lines[2..])).ToList();
        return (WithoutLink(await ReadAsync("out/issue.html")), await ReadAsync("out/issue.txt"), processes);
    }

    // The link of a preview is another each time.
    private static string WithoutLink(string html) => string.Join('\n', html.Split('\n').Where(line => !line.Contains("/unsubscribe/", StringComparison.Ordinal)));

    private Task<string> ReadAsync(string name) => File.ReadAllTextAsync(workspace.PathOf(name), TestContext.Current.CancellationToken);
}
