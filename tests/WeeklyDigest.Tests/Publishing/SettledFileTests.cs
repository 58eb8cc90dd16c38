using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Publishing;

public sealed class SettledFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly WaitingClock clock = new();
    private readonly string path;

    public SettledFileTests() => path = folder.File("readers.csv");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("email\nann@example.org\n", 0, 0)]
    [InlineData("email\rann@example.org\r", 0, 0)]
    [InlineData("", 0, 0)]
    [InlineData("email\nann@ex", 0, 5)]
    [InlineData("email\nann@ex", -2, 3)]
    [InlineData("email\nann@ex", -5, 0)]
    [InlineData("email\nann@ex", 1, 0)]
    public async Task Waits_for_a_file_that_ends_within_a_line_until_five_seconds_after_it_was_modified(string text, int modified, int seconds)
    {
        Write(text, clock.GetUtcNow().AddSeconds(modified));
        await SettledFile.WaitAsync(path, clock, Cancel);
        Assert.Equal(TimeSpan.FromSeconds(seconds), clock.Waited);
    }

    [Fact]
    public async Task Waits_while_the_file_grows_also_where_a_piece_ends_with_a_line()
    {
        var pieces = new Queue<string>(["email\nann@example.org\nb", "email\nann@example.org\nben@example.org\n", "email\nann@example.org\nben@example.org\ncid@exam", "email\nann@example.org\nben@example.org\ncid@example.org\n"]);
        Write("email\nann@ex", clock.GetUtcNow());
        clock.WhileWaiting = now =>
        {
            if (pieces.TryDequeue(out var text)) Write(text, now);
        };
        await SettledFile.WaitAsync(path, clock, Cancel);
        Assert.Empty(pieces);
        Assert.Equal(TimeSpan.FromSeconds(2), clock.Waited);
    }

    [Fact]
    public async Task A_file_that_is_still_written_after_half_a_minute_is_refused()
    {
        Write("email\nann@ex", clock.GetUtcNow());
        clock.WhileWaiting = now => Write("email\nann@ex", now);
        var refusal = await Assert.ThrowsAsync<FormatException>(() => SettledFile.WaitAsync(path, clock, Cancel));
        Assert.Equal("The file is being written, for half a minute already. Nothing of it was read in; try again when it is whole.", refusal.Message);
        Assert.Equal(TimeSpan.FromSeconds(30), clock.Waited);
    }

    [Fact]
    public async Task Waiting_can_be_ended()
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        Write("email\nann@ex", clock.GetUtcNow());
        clock.WhileWaiting = _ => ending.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => SettledFile.WaitAsync(path, clock, ending.Token));
    }

    private void Write(string text, DateTimeOffset modified)
    {
        File.WriteAllText(path, text);
        File.SetLastWriteTimeUtc(path, modified.UtcDateTime);
    }
}
