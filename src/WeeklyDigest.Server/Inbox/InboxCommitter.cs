using System.Threading.Channels;

namespace WeeklyDigest.Server.Inbox;

/// <summary>
/// Puts received messages durably in place, in groups: whatever is waiting is flushed side by side (the disk merges concurrent flushes),
/// renamed, and the folder flushed once. Only then does anybody get a 250.
/// </summary>
internal sealed class InboxCommitter : IAsyncDisposable
{
    private const int GroupSize = 64;
    private const int FlushesAtOnce = 8;

    private readonly string folder;
    private readonly InboxIds ids;
    private readonly Channel<Waiting> queue = Channel.CreateUnbounded<Waiting>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Task running;

    public InboxCommitter(string folder, TimeProvider time)
    {
        this.folder = folder;
        ids = new InboxIds(time);
        running = Task.Run(RunAsync);
    }

    /// <summary>Puts the draft in place.</summary>
    /// <returns>Null when it is durably there, else why not.</returns>
    public async Task<string?> CommitAsync(InboxDraft draft)
    {
        var waiting = new Waiting(draft);
        return queue.Writer.TryWrite(waiting) ? await waiting.Done.Task : "the inbox is shutting down";
    }

    /// <summary>Finishes what was handed in.</summary>
    public async ValueTask DisposeAsync()
    {
        queue.Writer.Complete();
        await running;
    }

    private async Task RunAsync()
    {
        var group = new List<Waiting>(GroupSize);
        while (await queue.Reader.WaitToReadAsync())
        {
            while (group.Count < GroupSize && queue.Reader.TryRead(out var waiting))
            {
                group.Add(waiting);
            }

            Commit(group);
            group.Clear();
        }
    }

    private void Commit(List<Waiting> group)
    {
        Parallel.ForEach(group, new ParallelOptions { MaxDegreeOfParallelism = FlushesAtOnce }, waiting => waiting.Try(draft => draft.Flush()));
        group.ForEach(waiting => waiting.Try(draft => draft.MoveIntoPlace(ids.Next())));
        var folderProblem = Problem(() => DirectorySync.Flush(folder));
        group.ForEach(waiting => waiting.Done.SetResult(waiting.Problem ?? folderProblem));
    }

    private static string? Problem(Action action)
    {
        try
        {
            action();
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    private sealed class Waiting(InboxDraft draft)
    {
        public TaskCompletionSource<string?> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string? Problem { get; private set; }

        public void Try(Action<InboxDraft> step) => Problem ??= InboxCommitter.Problem(() => step(draft));
    }
}
