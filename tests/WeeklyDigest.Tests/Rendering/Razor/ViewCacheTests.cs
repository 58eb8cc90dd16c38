using WeeklyDigest.Rendering;
using WeeklyDigest.Rendering.Razor;

namespace WeeklyDigest.Tests.Rendering.Razor;

/// <summary>A compiled view is found again, or it is compiled again; nothing else is ever run.</summary>
public sealed class ViewCacheTests : IDisposable
{
    private static readonly TemplateSource View = ViewOf("one");
    private static readonly CompiledView Compiled = new([1, 2, 3], [4, 5], []);

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void What_was_kept_is_found_by_the_text_of_the_view()
    {
        Kept();
        var found = Cache().Find(ViewOf("one"));
        Assert.Equal(Compiled.Assembly, found?.Assembly);
        Assert.Equal(Compiled.Symbols, found?.Symbols);
        Assert.Null(Cache().Find(ViewOf("two")));
    }

    [Fact]
    public void A_file_with_one_wrong_byte_is_not_believed()
    {
        var path = Kept();
        var bytes = File.ReadAllBytes(path);
        foreach (var at in new[] { 0, 40, bytes.Length - 1 })
        {
            byte[] damaged = [.. bytes];
            damaged[at] ^= 1;
            File.WriteAllBytes(path, damaged);
            Assert.Null(Cache().Find(View));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(100)]
    public void A_file_that_was_cut_off_is_not_believed(int length)
    {
        var path = Kept();
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..length]);
        Assert.Null(Cache().Find(View));
    }

    [Fact]
    public void Another_views_file_is_not_believed_under_this_ones_name()
    {
        var path = Kept();
        File.Delete(path);
        Cache().Keep(ViewOf("two"), Compiled);
        File.Move(Assert.Single(Files()), path);
        Assert.Null(Cache().Find(View));
    }

    [Fact]
    public void A_file_that_others_may_write_is_not_believed()
    {
        if (OperatingSystem.IsWindows()) return;
        var path = Kept();
        Assert.NotNull(Cache().Find(View));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupWrite);
        Assert.Null(Cache().Find(View));
    }

    [Fact]
    public void Nobody_else_reads_the_folder_or_its_files()
    {
        if (OperatingSystem.IsWindows()) return;
        var path = Kept();
        Assert.Equal("700", Convert.ToString((int)File.GetUnixFileMode(Path.GetDirectoryName(path)!), 8));
        Assert.Equal("600", Convert.ToString((int)File.GetUnixFileMode(path), 8));
    }

    [Fact]
    public void A_folder_that_cannot_be_written_keeps_nothing_and_fails_nothing()
    {
        var cache = new ViewCache(Path.Combine(folder.Write("file", ""), "cache"));
        cache.Keep(View, Compiled);
        Assert.Null(cache.Find(View));
    }

    [Fact]
    public void The_oldest_go_once_there_are_64()
    {
        var cache = Cache();
        for (var i = 0; i < 66; i++)
        {
            cache.Keep(ViewOf($"view {i}"), Compiled);
            var newest = new DirectoryInfo(folder.File("cache")).EnumerateFiles().MaxBy(file => file.LastWriteTimeUtc)!;
            newest.LastWriteTimeUtc = DateTimeOffset.UnixEpoch.UtcDateTime.AddDays(i);
        }
        Assert.Equal(64, Files().Length);
        Assert.Null(cache.Find(ViewOf("view 0")));
        Assert.NotNull(cache.Find(ViewOf("view 64")));
    }

    [Fact]
    public void Whatever_else_is_in_the_folder_stays()
    {
        string[] foreign = [.. Enumerable.Range(0, 70).Select(i => $"letter{i}.txt"), new string('a', 64), $"{new string('g', 64)}.view", $"{new string('a', 63)}.view", $"{new string('a', 64)}.{new string('a', 31)}"];
        foreach (var name in foreign) File.SetLastWriteTimeUtc(folder.Write($"cache/{name}", "mine"), DateTimeOffset.UnixEpoch.UtcDateTime);
        var drafts = Enumerable.Range(0, 70).Select(i => folder.Write($"cache/{TemplateSource.HashOf($"draft {i}")}.{Guid.NewGuid():n}", "cut off")).ToList();
        drafts.ForEach(draft => File.SetLastWriteTimeUtc(draft, DateTimeOffset.UnixEpoch.UtcDateTime));
        Cache().Keep(View, Compiled);
        var names = Files().Select(Path.GetFileName).ToList();
        Assert.Empty(foreign.Except(names));
        Assert.Equal(64, names.Count - foreign.Length);
        Assert.NotNull(Cache().Find(View));
    }

    private ViewCache Cache() => new(folder.File("cache"));

    private string[] Files() => Directory.GetFiles(folder.File("cache"));

    private string Kept()
    {
        Cache().Keep(View, Compiled);
        return Assert.Single(Files());
    }

    private static TemplateSource ViewOf(string text) => new("issue.cshtml", text, [], TemplateSource.HashOf(text));
}
