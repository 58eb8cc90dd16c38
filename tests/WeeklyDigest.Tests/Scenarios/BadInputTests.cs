using System.Text;
using MimeKit;
using WeeklyDigest.Server.Inbox;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>Broken and hostile issues, handed to the program itself.</summary>
public sealed class BadInputTests : IAsyncLifetime
{
    private readonly Workspace workspace = new();

    public async ValueTask InitializeAsync()
    {
        workspace.WithSubscribers(3).Write("issues/fine.md", "---\ntitle: fine\npermalink: /posts/fine\n---\nHello.\n");
        Assert.Equal(0, (await workspace.RunAsync("send", "fine")).ExitCode);
    }

    public ValueTask DisposeAsync()
    {
        workspace.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Every_kind_gives_its_message_and_exit_code_1_and_leaves_the_database_as_it_was()
    {
        var before = await DatabaseAsync();
        foreach (var (kind, bytes, said) in Issues())
        {
            await File.WriteAllBytesAsync(workspace.PathOf("issues/bad.md"), bytes, TestContext.Current.CancellationToken);
            var result = await workspace.RunAsync("send", "issues/bad.md");
            Assert.True(result.ExitCode == 1, $"{kind}: {result}");
            Assert.True(result.Error.Contains(said, StringComparison.OrdinalIgnoreCase), $"{kind}: {result}");
            Assert.Matches(@"bad\.md:\d+:\d+", result.Error);
        }

        Assert.Equal(before, await DatabaseAsync());
        Assert.Equal(3, Directory.GetFiles(workspace.InboxFolder, "*.eml").Length);
    }

    [Fact]
    public async Task A_title_with_line_breaks_adds_no_header()
    {
        workspace.Write("issues/hostile.md", "---\ntitle: \"a\\r\\nBcc: everybody@example.com\\r\\n\\r\\nbody\"\n---\nHello.\n");
        await workspace.RunAsync("send", "hostile");
        var inbox = new InboxStore(workspace.InboxFolder);
        Assert.All(inbox.Page(0, 10), entry =>
        {
            using var message = MimeMessage.Load(new MemoryStream(inbox.Read(entry.Id)!.Bytes.ToArray()), TestContext.Current.CancellationToken);
            Assert.Empty(message.Bcc);
            Assert.Single(message.To);
        });
    }

    private static IEnumerable<(string Kind, byte[] Bytes, string Said)> Issues() =>
    [
        ("no title", Bytes("---\ndate: 2026-03-02\n---\nHello.\n"), "title"),
        ("empty title", Bytes("---\ntitle: \"\"\n---\nHello.\n"), "title"),
        ("broken YAML", Bytes("---\ntitle: [a\n---\nHello.\n"), "YAML"),
        ("unknown slot", Bytes("---\ntitle: a\n---\nHello {{ nmae }}.\n"), "nmae"),
        ("duplicate permalink", Bytes("---\ntitle: a\npermalink: /posts/fine\n---\nHello.\n"), "/posts/fine"),
        ("empty entry", Bytes("---\ntitle: a\n---\nHello.\n\n### Nothing\n\n### Something\n\nText.\n"), "Nothing"),
        ("link without target", Bytes("---\ntitle: a\n---\n[nowhere]()\n"), "link"),
        ("not UTF-8", [.. Bytes("---\ntitle: a\n---\n"), 0xff, 0xfe, 0xfc], "UTF-8"),
        ("too large", Bytes("---\ntitle: a\n---\n" + new string('x', 11 * 1024 * 1024)), "MB"),
    ];

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private async Task<string> DatabaseAsync()
    {
        var status = await workspace.RunAsync("status", "--json");
        var deliveries = await workspace.RunAsync("deliveries", "fine", "--json");
        var subscribers = await workspace.RunAsync("subscribers", "export");
        return status.Out + deliveries.Out + subscribers.Out;
    }
}
