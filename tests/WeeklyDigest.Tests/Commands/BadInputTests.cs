using System.Globalization;
using System.Text;
using Microsoft.Data.Sqlite;

namespace WeeklyDigest.Tests.Commands;

/// <summary>Bad input of every kind: a message with the place, exit code 1, and the database as it was.</summary>
public sealed class BadInputTests : IAsyncLifetime
{
    private static readonly Dictionary<string, (byte[] Bytes, string Message)> Issues = new()
    {
        ["title-missing"] = (Text("---\npermalink: /posts/x\n---\nHello.\n"), "title"),
        ["title-empty"] = (Text("---\ntitle: \"\"\n---\nHello.\n"), "title"),
        ["yaml-broken"] = (Text("---\ntitle: [a\n---\nHello.\n"), ":"),
        ["slot-unknown"] = (Text("---\ntitle: x\n---\nHello {{ password }}.\n"), "There is no merge slot 'password'"),
        ["entry-empty"] = (Text("---\ntitle: x\n---\nHello.\n\n### An entry\n\n### Another\n\nText.\n"), "An entry"),
        ["link-without-target"] = (Text("---\ntitle: x\n---\nA [link]() to nowhere.\n"), "link"),
        ["permalink-duplicate"] = (Text("---\ntitle: x\npermalink: /posts/sent\n---\nHello.\n"), "/posts/sent"),
        ["not-utf8"] = ([.. Text("---\ntitle: x\n---\nGr"), 0xfc, .. Text("n.\n")], "UTF-8"),
        ["binary"] = ([0x7f, (byte)'E', (byte)'L', (byte)'F', 0, 1, 2, 0xff], "UTF-8"),
        ["too-large"] = (Text("---\ntitle: x\n---\n" + new string('a', 2 * 1024 * 1024 + 1)), "MB"),
        ["title-of-10-MB"] = (Text($"---\ntitle: {new string('a', 10 * 1024 * 1024)}\n---\nHello.\n"), "MB"),
    };

    private readonly Workspace workspace = new();
    private string before = "";

    public static TheoryData<string> Kinds => [.. Issues.Keys];

    public async ValueTask InitializeAsync()
    {
        workspace.WithSubscribers(2).Write("issues/sent.md", "---\ntitle: Sent\npermalink: /posts/sent\n---\nHello.\n");
        Assert.Equal(0, (await workspace.RunHereAsync("send", "sent")).ExitCode);
        before = Dump();
    }

    public ValueTask DisposeAsync()
    {
        workspace.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_bad_issue_is_refused_by_every_command(string kind)
    {
        var (bytes, message) = Issues[kind];
        await File.WriteAllBytesAsync(workspace.PathOf("issues/bad.md"), bytes, TestContext.Current.CancellationToken);
        foreach (var line in new[] { "check issues/bad.md", "render issues/bad.md --out out", "preview issues/bad.md", "send issues/bad.md" })
        {
            var result = await workspace.RunHereAsync(line.Split(' '));
            var said = line.StartsWith("check", StringComparison.Ordinal) ? result.Out : result.Error;
            Assert.True(result.ExitCode == 1, line + "\n" + result);
            Assert.Contains(message, said, StringComparison.OrdinalIgnoreCase);
            Assert.Matches(@"bad\.md:\d+:\d+: error", said);
            Assert.DoesNotContain("   at ", said, StringComparison.Ordinal);
        }
        Assert.Equal(before, Dump());
        Assert.False(Directory.Exists(workspace.PathOf("out")));
    }

    [Fact]
    public async Task An_issue_or_a_template_that_is_a_pipe_is_refused_and_nothing_else()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Pipes are told from files on Linux alone.");
        workspace.Write("issues/good.md", "---\ntitle: Good\n---\nHello.\n");
        NamedPipe.Make(workspace.PathOf("issues/bad.md"));
        Assert.Contains("This is a pipe, and no regular file", (await RunAsync("send", "bad")).Error, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("check", "good")).ExitCode);
        Assert.Equal(0, (await RunAsync("status")).ExitCode);

        File.Delete(workspace.PathOf("templates/styles.css"));
        NamedPipe.Make(workspace.PathOf("templates/styles.css"));
        var check = await RunAsync("check", "good");
        Assert.Equal(1, check.ExitCode);
        Assert.Contains("styles.css is a pipe, and no regular file", check.Out, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("status")).ExitCode);
        Assert.Equal(before, Dump());

        // What waits for a pipe waits for ever.
        Task<CommandResult> RunAsync(params string[] arguments) => Task.Run(() => workspace.RunHereAsync(arguments)).WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData("name,city\nAda,Köln\n")]
    [InlineData("")]
    [InlineData("\0\u0001\u0002")]
    public async Task A_file_that_is_no_list_is_refused_whole(string text)
    {
        workspace.Write("bad.csv", text);
        var result = await workspace.RunHereAsync("subscribers", "import", "bad.csv");
        Assert.Equal((1, ""), (result.ExitCode, result.Out));
        Assert.NotEqual("", result.Error);
        Assert.Equal(before, Dump());
    }

    [Fact]
    public async Task A_list_that_is_not_UTF8_is_refused_whole()
    {
        await File.WriteAllBytesAsync(workspace.PathOf("bad.csv"), [.. Text("email,name\nada@example.org,Gr"), 0xfc, .. Text("n\n")], TestContext.Current.CancellationToken);
        var result = await workspace.RunHereAsync("subscribers", "import", "bad.csv");
        Assert.Equal((1, ""), (result.ExitCode, result.Out));
        Assert.Contains("UTF-8", result.Error, StringComparison.Ordinal);
        Assert.Equal(before, Dump());
    }

    [Fact]
    public async Task A_file_that_is_no_database_is_refused_and_stays_as_it_is()
    {
        workspace.Set("Storage:ConnectionString", workspace.Write("notes.txt", "These are my notes, and they are longer than a page of SQLite's header would be, by far."));
        var result = await workspace.RunHereAsync("status");
        Assert.Equal((1, ""), (result.ExitCode, result.Out));
        Assert.Contains("notes.txt", result.Error, StringComparison.Ordinal);
        Assert.StartsWith("These are my notes", await File.ReadAllTextAsync(workspace.PathOf("notes.txt"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

    // Every table, every row.
    private string Dump()
    {
        using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = workspace.DatabaseFile, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ConnectionString);
        connection.Open();
        var dump = new StringBuilder();
        foreach (var table in Rows(connection, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"))
            foreach (var row in Rows(connection, $"SELECT * FROM \"{table}\"")) dump.Append(table).Append(": ").Append(row).Append('\n');
        return dump.ToString();
    }

    private static List<string> Rows(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The tables' names come from the database itself.
        command.CommandText = sql;
#pragma warning restore CA2100
        using var reader = command.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read()) rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(i => reader.GetValue(i) is byte[] bytes ? Convert.ToHexString(bytes) : Convert.ToString(reader.GetValue(i), CultureInfo.InvariantCulture))));
        return rows;
    }
}
