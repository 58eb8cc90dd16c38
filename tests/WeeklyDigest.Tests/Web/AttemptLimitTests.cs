using WeeklyDigest.Server.Desk;
using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Tests.Web;

public sealed class AttemptLimitTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;
    private readonly SetBackClock clock = new();

    [Fact]
    public void Whoever_has_to_wait_waits_for_the_time_that_passes_whatever_the_time_of_day()
    {
        var limit = new AttemptLimit(2, TimeSpan.FromMinutes(5), clock);
        Assert.Equal([null, null, TimeSpan.FromMinutes(5)], new[] { limit.Take("a"), limit.Take("A"), limit.Take("a") });
        clock.SetBack(TimeSpan.FromDays(1));
        clock.Pass(TimeSpan.FromMinutes(4));
        Assert.Equal(TimeSpan.FromMinutes(1), limit.Take("a"));
        clock.Pass(TimeSpan.FromMinutes(1));
        Assert.Null(limit.Take("a"));
    }

    [Fact]
    public async Task Guesses_are_not_forgotten_for_others_that_did_not_wait_for_their_check()
    {
        using var passwords = new EditorPasswords([new EditorUser("Ada", EditorPasswords.Hash("correct horse"))], clock);
        for (var guess = 0; guess < 5; guess++) Assert.Equal((null, null), await passwords.CheckAsync("1", "Ada", "wrong", Cancel));
        var gone = new CancellationToken(canceled: true);
        for (var name = 0; name < 11_000; name++) Assert.True(passwords.CheckAsync("1", $"{name}", "wrong", gone).IsCanceled);
        Assert.Equal((null, TimeSpan.FromMinutes(5)), await passwords.CheckAsync("1", "ada", "correct horse", Cancel));
        Assert.Equal("Ada", (await passwords.CheckAsync("2", "ada", "correct horse", Cancel)).Editor?.Name);
    }

    [Fact]
    public async Task Whoever_asks_a_hundred_times_at_once_keeps_nobody_else_waiting()
    {
        using var passwords = new EditorPasswords([new EditorUser("Ada", EditorPasswords.Hash("correct horse"))], clock);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        List<Task<(EditorUser? Editor, TimeSpan? Wait)>> guesses = [.. Enumerable.Range(0, 130).Select(name => Task.Run(() => passwords.CheckAsync("1", $"{name}", "wrong", end.Token), Cancel))];
        await foreach (var guess in Task.WhenEach(guesses).WithCancellation(Cancel))
            if (await guess == (null, TimeSpan.FromSeconds(10))) break;

        Assert.Equal("Ada", (await passwords.CheckAsync("2", "Ada", "correct horse", Cancel)).Editor?.Name);
        Assert.InRange(guesses.Count(guess => !guess.IsCompleted), 1, 101);
        await end.CancelAsync();
        foreach (var guess in guesses) await guess.ContinueWith(_ => { }, Cancel, TaskContinuationOptions.None, TaskScheduler.Default);
        Assert.Equal((null, null), await passwords.CheckAsync("1", "Eve", "wrong", Cancel));
    }
}
