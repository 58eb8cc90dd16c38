using System.Data.Common;
using Hangfire.Server;
using WeeklyDigest.Publishing;
using WeeklyDigest.Rendering;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Server.Jobs;

/// <summary>
/// Where the exceptions of a job end. While the database cannot be used the job waits and is tried again from its beginning, which finds in the ledger
/// what was done; of anything else its page says what happened and what to do, and Hangfire notes the job as failed.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class JobEdge(TimeProvider time)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    /// <summary>Whether an exception means that the database, or the disk, cannot be used for now: what was tried may succeed later.</summary>
    public static bool IsPassing(Exception failure) => failure is StorageException { IsLasting: false } or DbException || FolderTrouble.IsFullDisk(failure);

    /// <summary>Runs a job with its page.</summary>
    /// <param name="context">Hangfire's.</param>
    /// <param name="job">The job. It may be run again after it was broken off anywhere.</param>
    /// <param name="cancel">The server stops, or somebody deleted or requeued the job.</param>
    public async Task<string> RunAsync(PerformContext? context, Func<JobPage, Task<string>> job, CancellationToken cancel)
    {
        var page = JobPage.Of(context ?? throw new ArgumentNullException(nameof(context), "Hangfire gives the context."));
        try
        {
            return await InsistAsync(page, job, cancel);
        }
        catch (Exception refusal) when (refusal is RefusedException or TemplateException or RelayException or StorageException)
        {
            page.Refuse(refusal.Message);
            throw;
        }
        catch (OperationCanceledException)
        {
            // The server stops, or somebody requeued the job: the ledger knows what is left, and the watch takes it up unless the editor holds it. A deleted one is held.
            if (!page.IsDone) page.Interrupt();
            throw;
        }
        finally
        {
            page.Close();
        }
    }

    // A job that is done and whose page could not be written is not run again for that.
    private async Task<string> InsistAsync(JobPage page, Func<JobPage, Task<string>> job, CancellationToken cancel)
    {
        string? result = null;
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                result ??= await job(page);
                page.Save();
                return result;
            }
            catch (Exception trouble) when (IsPassing(trouble))
            {
                if (result is null) page.WaitFor(trouble);
            }
            await Task.Delay(pause, time, cancel);
        }
    }
}
