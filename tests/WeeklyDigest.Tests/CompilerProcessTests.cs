using Microsoft.Extensions.Time.Testing;
using WeeklyDigest.Rendering;
using WeeklyDigest.Server;

namespace WeeklyDigest.Tests;

/// <summary>The process that compiles may end or hang as any other; who waits for it is told.</summary>
public sealed class CompilerProcessTests : IDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);

    private readonly TemporaryFolder folder = new();

    [Theory]
    [InlineData("echo out of memory >&2; exit 7", "ended with 7. out of memory")]
    [InlineData("kill -9 $$", "ended with 137.")]
    [InlineData("echo nonsense", "ended with 0.")]
    [InlineData("cat >/dev/null; echo '[]'", "ended with 0.")]
    public async Task One_that_ends_without_an_answer_is_told_with_its_words(string script, string words)
        => Assert.Contains(words, (await ProblemAsync(["sh", "-c", script], Long)).Message, StringComparison.Ordinal);

    [Fact]
    public async Task One_that_cannot_be_started_is_named()
        => Assert.Contains("/nowhere/weeklydigest", (await ProblemAsync(["/nowhere/weeklydigest"], Long)).Message, StringComparison.Ordinal);

    [Fact]
    public async Task One_that_hangs_is_ended()
    {
        var (clock, compiling) = await HangingAsync(CancellationToken.None);
        clock.Advance(Long);
        var problem = await Assert.ThrowsAsync<TemplateException>(() => compiling);
        Assert.Contains("took longer than 00:01:00", problem.Message, StringComparison.Ordinal);
        await HasEndedAsync();
    }

    [Fact]
    public async Task One_that_nobody_waits_for_any_longer_is_ended()
    {
        using var stop = new CancellationTokenSource();
        var (_, compiling) = await HangingAsync(stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => compiling);
        await HasEndedAsync();
    }

    public void Dispose() => folder.Dispose();

    private async Task<(FakeTimeProvider Clock, Task Compiling)> HangingAsync(CancellationToken cancel)
    {
        var clock = new FakeTimeProvider();
        var compiling = new CompilerProcess(["sh", "-c", $"echo $$ >{folder.File("draft")}; mv {folder.File("draft")} {folder.File("id")}; exec sleep 600"], Long, clock).CompileAsync(["text"], cancel);
        await Eventually.HoldsAsync(() => File.Exists(folder.File("id")), "the process runs");
        return (clock, compiling);
    }

    private Task HasEndedAsync()
    {
        var id = File.ReadAllText(folder.File("id")).Trim();
        return Eventually.HoldsAsync(() => !Directory.Exists($"/proc/{id}"), "the process is gone");
    }

    private static Task<TemplateException> ProblemAsync(string[] program, TimeSpan limit)
        => Assert.ThrowsAsync<TemplateException>(() => new CompilerProcess(program, limit, TimeProvider.System).CompileAsync(["text"], TestContext.Current.CancellationToken));
}
