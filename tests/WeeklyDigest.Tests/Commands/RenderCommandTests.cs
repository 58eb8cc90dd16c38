using MimeKit;

namespace WeeklyDigest.Tests.Commands;

public sealed class RenderCommandTests : IDisposable
{
    private readonly Workspace workspace = new();

    public void Dispose() => workspace.Dispose();

    [Fact]
    public async Task Writes_the_three_files_into_a_new_folder_without_a_database()
    {
        workspace.WithWeek1();
        var result = await workspace.RunHereAsync("render", "week-1", "--out", "a/new/folder");

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Equal(["issue.eml", "issue.html", "issue.txt"], Names("a/new/folder"));
        Assert.Equal([.. new[] { "issue.html", "issue.txt", "issue.eml" }.Select(name => workspace.PathOf($"a/new/folder/{name}"))], result.Out.TrimEnd().Split(Environment.NewLine));
        var message = await MimeMessage.LoadAsync(workspace.PathOf("a/new/folder/issue.eml"), TestContext.Current.CancellationToken);
        Assert.Equal(Text("a/new/folder/issue.html"), message.HtmlBody!.ReplaceLineEndings("\n").TrimEnd());
        Assert.Equal(Text("a/new/folder/issue.txt"), message.TextBody!.ReplaceLineEndings("\n").TrimEnd());
        Assert.Contains("https://arxiv.org/abs/2009.06489", message.TextBody, StringComparison.Ordinal);
        Assert.False(Directory.Exists(workspace.PathOf("data")));
    }

    [Fact]
    public async Task Shows_a_subscriber_their_own_message_from_the_list_file_or_from_the_database()
    {
        workspace.Write("issues/a.md", "---\ntitle: x\n---\nHello {{ name | there }} in {{ attributes.city | your city }}.\n");
        workspace.Write("subscribers/friends.csv", "email,name,city\nada@example.org,Ada <b>,Köln\n");
        Assert.Equal(0, (await workspace.RunHereAsync("render", "a", "--out", "file", "--as", "ada@EXAMPLE.org")).ExitCode);
        Assert.Contains("Hello Ada &lt;b&gt; in K", Text("file/issue.html"), StringComparison.Ordinal);
        Assert.Contains("Hello Ada <b> in Köln.", Text("file/issue.txt"), StringComparison.Ordinal);

        Assert.Equal(0, (await workspace.RunHereAsync("subscribers", "add", "bob@example.org", "--list", "friends", "--name", "Bob")).ExitCode);
        Assert.Equal(0, (await workspace.RunHereAsync("render", "a", "--out", "database", "--as", "bob@example.org")).ExitCode);
        Assert.Contains("Hello Bob in your city.", Text("database/issue.txt"), StringComparison.Ordinal);
        var message = await MimeMessage.LoadAsync(workspace.PathOf("database/issue.eml"), TestContext.Current.CancellationToken);
        Assert.Equal("\"Bob\" <bob@example.org>", message.To.ToString());
    }

    [Fact]
    public async Task An_address_that_nobody_knows_gets_the_fallbacks()
    {
        workspace.Write("issues/a.md", "---\ntitle: x\n---\nHello {{ name | there }}.\n");
        Assert.Equal(0, (await workspace.RunHereAsync("render", "a", "--out", "out", "--as", "eve@example.org")).ExitCode);
        Assert.Contains("Hello there.", Text("out/issue.txt"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_file_that_cannot_be_used_is_named_and_passed_over()
    {
        workspace.Write("issues/a.md", "---\ntitle: x\n---\nHello {{ name | there }}.\n");
        // What an editor leaves beside a file that is open is no list.
        workspace.Write("subscribers/.zz.csv", "email,name\nzoe@example.org,Zo\n");
        workspace.Write("subscribers/broken.csv", "email,name\nada@example.org,Ada\nbob@example.org,\"Bob\n");
        workspace.Write("subscribers/no list.csv", "email,name\nzoe@example.org,Nobody\n");
        workspace.Write("subscribers/zz.csv", "email,name\nzoe@example.org,Zoe\n");

        var zoe = await workspace.RunHereAsync("render", "a", "--out", "out", "--as", "zoe@example.org");

        Assert.Equal(0, zoe.ExitCode);
        Assert.Contains("Hello Zoe.", Text("out/issue.txt"), StringComparison.Ordinal);
        Assert.Equal(
            [
                $"{workspace.PathOf("subscribers/broken.csv")} is passed over. Line 3: the quotation mark that opens here is never closed.",
                $"{workspace.PathOf("subscribers/no list.csv")} is passed over. The file's name is no list name. Use 1 to 64 letters, digits, dots, dashes and underscores before .csv.",
            ],
            zoe.Error.TrimEnd().Split(Environment.NewLine));

        var bob = await workspace.RunHereAsync("render", "a", "--out", "out", "--as", "bob@example.org");
        Assert.Equal(0, bob.ExitCode);
        Assert.StartsWith($"{workspace.PathOf("subscribers/broken.csv")} is passed over.", bob.Error, StringComparison.Ordinal);
        Assert.Contains("Hello there.", Text("out/issue.txt"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_written_when_the_issue_has_errors()
    {
        workspace.Write("issues/a.md", "---\ntitle:\n---\nHello {{ nmae }}.\n");
        var result = await workspace.RunHereAsync("render", "a", "--out", "out");
        Assert.Equal((1, ""), (result.ExitCode, result.Out));
        Assert.Contains("a.md:4:7: error", result.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(workspace.PathOf("out")));

        // What is there of an issue before would be taken for this one's.
        workspace.Write("issues/b.md", "---\ntitle: x\n---\nHello.\n");
        workspace.Write("out/notes.txt", "");
        Assert.Equal(0, (await workspace.RunHereAsync("render", "b", "--out", "out")).ExitCode);
        Assert.Equal(1, (await workspace.RunHereAsync("render", "c", "--out", "out")).ExitCode);
        Assert.Equal(4, Names("out").Length);
        Assert.StartsWith($"What was rendered into {workspace.PathOf("out")} before is removed:", (await workspace.RunHereAsync("render", "a", "--out", "out")).Error, StringComparison.Ordinal);
        Assert.Equal(["notes.txt"], Names("out"));
    }

    [Theory]
    [InlineData("--out", "issues/a.md", "ROOT/issues/a.md is a file; name a folder.")]
    [InlineData("--as", "nobody", "'nobody' is not an e-mail address.")]
    public async Task Refuses_what_cannot_be(string option, string value, string expected)
    {
        workspace.Write("issues/a.md", "---\ntitle: x\n---\nHello.\n");
        string[] line = option == "--out" ? ["render", "a", option, value] : ["render", "a", "--out", "out", option, value];
        var result = await workspace.RunHereAsync(line);
        Assert.Equal((1, "", expected.Replace("ROOT", workspace.Root, StringComparison.Ordinal)), (result.ExitCode, result.Out, result.Error.TrimEnd()));
    }

    private string[] Names(string folder) => [.. Directory.EnumerateFileSystemEntries(workspace.PathOf(folder)).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private string Text(string name) => File.ReadAllText(workspace.PathOf(name)).ReplaceLineEndings("\n").TrimEnd();
}
