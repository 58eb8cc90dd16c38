using System.Diagnostics;
using Microsoft.Extensions.Time.Testing;
using WeeklyDigest.Server.Inbox;

namespace WeeklyDigest.Tests.Inbox;

public sealed class InboxStoreTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("inbox-").FullName;
    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 7, 4, 10, 15, 0, TimeSpan.Zero));
    private readonly InboxIds ids;

    public InboxStoreTests() => ids = new InboxIds(time);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Is_empty_where_there_is_no_folder()
    {
        var store = new InboxStore(Path.Combine(folder, "nothing"));
        Assert.Equal(0, store.Count);
        Assert.Empty(store.Page(0, 50));
        Assert.Equal(0, store.Clear());
    }

    [Fact]
    public void Lists_newest_first_in_pages()
    {
        foreach (var subject in new[] { "one", "two", "three", "four" })
        {
            time.SetUtcNow(time.GetUtcNow().AddMinutes(1));
            Put($"From: Digest <d@example.com>\r\nTo: =?utf-8?q?J=C3=B6rg?= <j@example.org>\r\nSubject: {subject}\r\n\r\nbody\r\n");
        }

        var store = new InboxStore(folder);
        Assert.Equal(["four", "three"], store.Page(0, 2).Select(entry => entry.Subject));
        Assert.Equal(["two", "one"], store.Page(2, 2).Select(entry => entry.Subject));
        Assert.Empty(store.Page(4, 2));
        Assert.Equal("Jörg <j@example.org>", store.Page(0, 1)[0].To.Replace("\"", "", StringComparison.Ordinal));
        Assert.Equal("2026-07-04T10:19:00", store.Page(0, 1)[0].ReceivedAt.ToString("s", null));
    }

    [Fact]
    public void Shows_a_message_with_no_header_at_all()
    {
        Put("no header");
        var entry = Assert.Single(new InboxStore(folder).Page(0, 10));
        Assert.Equal(("", "", "a@example.com"), (entry.Subject, entry.From, entry.Sender));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("../inbox/20260704T1015000000000-0123456789ab")]
    [InlineData("20260704T1015000000000-0123456789ab/../x")]
    [InlineData("20260704T1015000000000-0123456789ab\n")]
    [InlineData("20269904T1015000000000-0123456789ab")]
    [InlineData("20260704T1015000000000-0123456789ab")]
    public void Reads_nothing_by_a_name_that_is_none_or_is_not_there(string? id) => Assert.Null(new InboxStore(folder).Read(id));

    [Fact]
    public void Clear_removes_messages_and_nothing_else()
    {
        Put("Subject: x\r\n\r\n");
        File.WriteAllText(Path.Combine(folder, "notes.eml"), "mine");
        Assert.Equal(1, new InboxStore(folder).Clear());
        Assert.Equal("notes.eml", Path.GetFileName(Assert.Single(Directory.GetFiles(folder))));
    }

    [Fact]
    public void Names_are_unique_and_sort_by_time_even_when_the_clock_stands_still()
    {
        var names = Enumerable.Range(0, 1000).Select(_ => ids.Next().Text).ToList();
        Assert.Equal(1000, names.Distinct().Count());
        Assert.Equal(names.Order(StringComparer.Ordinal), names);
        Assert.All(names, name => Assert.NotNull(InboxId.Parse(name)));
    }

    [Fact]
    public void A_page_of_many_thousands_comes_in_no_time()
    {
        for (var i = 0; i < 20_000; i++)
        {
            File.Create(Path.Combine(folder, ids.Next().Text + ".eml")).Dispose();
        }

        var store = new InboxStore(folder);
        store.Page(0, 50);
        var watch = Stopwatch.StartNew();
        Assert.Equal(50, store.Page(10_000, 50).Count);
        TestContext.Current.TestOutputHelper!.WriteLine($"a page: {watch.ElapsedMilliseconds} ms");
        Assert.InRange(watch.ElapsedMilliseconds, 0, 5000);
    }

    private void Put(string message)
    {
        using var file = File.Create(Path.Combine(folder, ids.Next().Text + ".eml"));
        file.Write(InboxTrace.Write(new InboxEnvelope("a@example.com", ["b@example.org"]), time.GetUtcNow()));
        file.Write(System.Text.Encoding.UTF8.GetBytes(message));
    }
}
