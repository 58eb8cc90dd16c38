namespace WeeklyDigest.Tests;

public sealed class OwnThreadTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_awaited_goes_on_on_the_same_thread()
    {
        List<int> threads = [Environment.CurrentManagedThreadId];
        await OwnThread.RunAsync("test", async () =>
        {
            for (var i = 0; i < 100; i++)
            {
                threads.Add(Environment.CurrentManagedThreadId);
                await Task.Run(() => { }, Cancel);
            }
        });
        Assert.Single(threads.Skip(1).Distinct());
        Assert.NotEqual(threads[0], threads[1]);
    }

    [Fact]
    public async Task Blocks_itself_and_nobody_else()
    {
        var (own, blocked) = (0, 0);
        await OwnThread.RunAsync("test", async () =>
        {
            own = Environment.CurrentManagedThreadId;
            blocked = await OwnThread.BlockAsync(() => Environment.CurrentManagedThreadId);
        });
        Assert.Equal(own, blocked);
        Assert.True(await OwnThread.BlockAsync(() => Thread.CurrentThread.IsThreadPoolThread));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Ends_as_its_work_does(bool later)
    {
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => OwnThread.RunAsync("test", async () =>
        {
            if (later) await Task.Yield();
            throw new InvalidOperationException("broken");
        }));
        Assert.Equal("broken", failure.Message);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => OwnThread.RunAsync("test", () => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, new CancellationToken(canceled: true))));
    }

    [Fact]
    public async Task What_outlives_the_work_goes_on_elsewhere()
    {
        var gate = new TaskCompletionSource();
        Task outlives = Task.CompletedTask;
        await OwnThread.RunAsync("test", () =>
        {
            outlives = AfterAsync(gate.Task);
            return Task.CompletedTask;
        });
        gate.SetResult();
        await outlives.WaitAsync(TimeSpan.FromSeconds(30), Cancel);

        static async Task AfterAsync(Task before) => await before;
    }

    [Fact]
    public async Task Several_threads_wake_each_other()
    {
        var turn = new SemaphoreSlim(1, 1);
        var count = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => OwnThread.RunAsync("test", async () =>
        {
            for (var i = 0; i < 500; i++)
            {
                await turn.WaitAsync(Cancel);
                count++;
                turn.Release();
            }
        })));
        Assert.Equal(8 * 500, count);
        turn.Dispose();
    }

    [Fact]
    public async Task A_blocking_wait_loses_nothing_that_is_posted_meanwhile()
    {
        var count = 0;
        await OwnThread.RunAsync("test", async () =>
        {
            for (var i = 0; i < 500; i++)
            {
                var (awaited, blocking) = (new TaskCompletionSource(), new TaskCompletionSource());
                var counting = CountAsync(awaited.Task);
                _ = Task.Run(() => awaited.SetResult(), Cancel);
                _ = Task.Run(() => blocking.SetResult(), Cancel);
                OwnThread.Wait(blocking.Task, Cancel);
                await counting;
            }
        });
        Assert.Equal(500, count);

        async Task CountAsync(Task before)
        {
            await before;
            count++;
        }
    }

    [Fact]
    public async Task A_blocking_wait_ends_when_it_is_given_up()
    {
        using var giveUp = new CancellationTokenSource();
        var never = new TaskCompletionSource();
        var waiting = OwnThread.RunAsync("test", async () =>
        {
            await Task.Yield();
            _ = Task.Run(giveUp.Cancel, Cancel);
            OwnThread.Wait(never.Task, giveUp.Token);
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(TimeSpan.FromSeconds(30), Cancel));
        Assert.ThrowsAny<OperationCanceledException>(() => OwnThread.Wait(never.Task, giveUp.Token));
    }
}
