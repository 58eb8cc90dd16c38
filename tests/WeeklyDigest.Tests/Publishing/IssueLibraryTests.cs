using WeeklyDigest.Issues;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Publishing;

public sealed class IssueLibraryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly IssueLibrary _library;

    public IssueLibraryTests() => _library = new IssueLibrary(_folder.Path);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Orders_by_date_then_by_name_as_people_count()
    {
        Write("week-10.md");
        Write("week-2.md");
        Write("late.md", "date: 2020-10-05");
        Write("early.md", "date: 2020-09-21");
        Assert.Equal(["early", "late", "week-2", "week-10"], _library.All().Select(file => file.Slug));
    }

    [Fact]
    public void Has_no_issues_where_there_is_no_folder() => Assert.Empty(new IssueLibrary(_folder.File("nowhere")).All());

    [Fact]
    public void Leaves_out_what_is_no_issue()
    {
        Write("README.md");
        Write("_draft-notes.md");
        Write(".hidden.md");
        Write("notes.txt");
        Directory.CreateDirectory(_folder.File("folder.md"));
        Write("week-1.md");
        Assert.Equal("week-1", Assert.Single(_library.All()).Slug);
    }

    [Fact]
    public void Reports_a_duplicate_permalink_in_both_files_where_it_stands()
    {
        Write("a.md", "permalink: /posts/same");
        Write("b.md", "draft: true\npermalink: /Posts/Same/");
        Write("c.md");
        var files = _library.All();
        Assert.Equal([false, false, true], files.Select(file => file.IsValid));
        var first = Assert.Single(files[0].Findings);
        Assert.Equal(("permalink-duplicate", Severity.Error, 3, 12), (first.Code, first.Severity, first.Line, first.Column));
        Assert.Contains("b.md", first.Message, StringComparison.Ordinal);
        Assert.Equal(4, Assert.Single(files[1].Findings).Line);
    }

    [Fact]
    public void Reports_a_duplicate_also_where_a_file_has_other_errors()
    {
        Write("a.md", "permalink: /posts/same");
        _folder.Write("b.md", "---\npermalink: /posts/same\n---\n[x]()\n");
        Assert.Equal(["title-missing", "permalink-duplicate", "link-target-missing"], _library.Find("same") is null ? [] : _library.All()[1].Findings.Select(finding => finding.Code));
    }

    [Fact]
    public void Reports_two_issues_of_one_slug()
    {
        Write("a.md", "permalink: /2020/same");
        Write("b.md", "permalink: /2021/same");
        Assert.All(_library.All(), file => Assert.Equal("permalink-duplicate", Assert.Single(file.Findings).Code));
    }

    [Fact]
    public void Finds_by_path_slug_permalink_and_file_name()
    {
        var path = Write("week-3.md", "permalink: /posts/week-3-frogs");
        Assert.All(
            new[] { path, "week-3-frogs", "WEEK-3-FROGS", "/posts/week-3-frogs", "week-3", "week-3.md" },
            name => Assert.Equal(path, _library.Find(name)?.Path));
    }

    [Fact]
    public void Finds_nothing_where_there_is_nothing()
        => Assert.All(new[] { "week-9", "/no/such/file.md", "../week-9.md", "", " ", "a\0b", new string('x', 5000) }, name => Assert.Null(_library.Find(name)));

    [Fact]
    public void Finds_a_slug_before_another_file_of_that_name()
    {
        var bySlug = Write("a.md", "permalink: /posts/b");
        Write("b.md", "permalink: /posts/c");
        Assert.Equal(bySlug, _library.Find("b")?.Path);
    }

    [Fact]
    public void Warns_when_a_file_from_elsewhere_has_the_permalink_of_an_issue_here()
    {
        Write("week-1.md");
        using var elsewhere = new TemporaryFolder();
        var file = _library.Find(elsewhere.Write("week-1.md", "---\ntitle: x\n---\nText.\n"))!;
        var finding = Assert.Single(file.Findings);
        Assert.Equal((Severity.Warning, "permalink-duplicate"), (finding.Severity, finding.Code));
        Assert.True(file.IsValid);
    }

    [Fact]
    public void Finds_a_file_of_the_folder_by_its_path_without_calling_it_its_own_duplicate()
    {
        var path = Write("week-1.md");
        var roundabout = Path.Combine(_folder.Path, "..", Path.GetFileName(_folder.Path), "week-1.md");
        Assert.Empty(_library.Find(path)!.Findings);
        Assert.Empty(_library.Find(roundabout)!.Findings);
    }

    [Fact]
    public void Turns_a_file_that_cannot_be_read_into_a_finding()
    {
        File.CreateSymbolicLink(_folder.File("loop.md"), _folder.File("loop.md"));
        Write("week-1.md");
        var files = _library.All();
        Assert.Equal("file-unreadable", Assert.Single(files.Single(file => file.Slug == "loop").Findings).Code);
        Assert.True(files.Single(file => file.Slug == "week-1").IsValid);
    }

    [Fact]
    public async Task Turns_what_is_no_regular_file_into_a_finding_before_it_is_opened()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Pipes and devices are told from files on Linux alone.");
        NamedPipe.Make(_folder.File("a-pipe.md"));
        File.CreateSymbolicLink(_folder.File("b-link.md"), _folder.File("a-pipe.md"));
        File.CreateSymbolicLink(_folder.File("c-device.md"), "/dev/zero");
        Write("week-1.md");
        _folder.Write("week-2.md", "---\ntitle:\n---\nText.\n");

        var cancel = TestContext.Current.CancellationToken;
        var (files, named) = await Task.Run(() => (_library.All(), _library.Find(_folder.File("a-pipe.md"))), cancel).WaitAsync(TimeSpan.FromSeconds(30), cancel);

        const string Advice = "and no regular file; put the issue's Markdown file in its place, or remove it.";
        Assert.Equal(
            [("week-1", ""), ("a-pipe", $"file-unreadable: This is a pipe, {Advice}"), ("b-link", $"file-unreadable: This is a pipe, {Advice}"), ("c-device", $"file-unreadable: This is a device, {Advice}")],
            files.Where(file => file.Slug != "week-2").OrderByDescending(file => file.IsValid).Select(file => (file.Slug, string.Join('|', file.Findings.Select(finding => $"{finding.Code}: {finding.Message}")))));
        Assert.Equal("title-empty", Assert.Single(files.Single(file => file.Slug == "week-2").Findings).Code);
        Assert.Equal("file-unreadable", Assert.Single(named!.Findings).Code);
    }

    [Fact]
    public void Does_not_read_a_huge_file_into_memory()
    {
        using (var huge = File.Create(_folder.File("huge.md"))) huge.SetLength(20L * 1024 * 1024 * 1024);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var finding = Assert.Single(Assert.Single(_library.All()).Findings);
        Assert.Equal("too-large", finding.Code);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 * IssueParser.MaxBytes);
    }

    private string Write(string name, string frontMatter = "draft: false") => _folder.Write(name, $"---\ntitle: An issue\n{frontMatter}\n---\nText.\n");
}
