using System.Collections.Concurrent;
using Hangfire;
using Hangfire.Common;
using Hangfire.Server;
using Hangfire.States;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Jobs;

/// <summary>
/// A running job's own page in the dashboard, as the job writes it: which issue it chose, kept so that a requeue of the same job stays
/// with that issue, and its report. Both are Hangfire job parameters: they live as long as the job.
/// </summary>
/// <param name="storage">Where jobs are kept.</param>
/// <param name="jobId">The job.</param>
/// <param name="createdAt">When the job was created: when somebody triggered it.</param>
/// <param name="server">The server that runs it; null when nobody does.</param>
internal sealed class JobPage(JobStorage storage, string jobId, DateTimeOffset createdAt, string? server) : IProgress<DeliveryProgress>
{
    /// <summary>
    /// Name of the parameter that holds the report. The dashboard lists all parameters of a job in its page, except those with this
    /// prefix; the report is shown as a table instead.
    /// </summary>
    public const string ReportParameter = "DBG_WeeklyDigest";

    /// <summary>Name of the parameter that holds the issue's slug.</summary>
    public const string IssueParameter = "Issue";

    private const string Waiting = "What is left waits until it is resumed on the page Issues.";

    // Far more than the workers of all nodes have at once.
    private const int MostJobs = 1000;

    // What could not be written yet: so the page of a job that runs here says all the same what it waits for.
    private static readonly ConcurrentDictionary<(JobStorage Storage, string Job), JobReport> Unwritten = new();

    private readonly Lock gate = new();
    private readonly Lock writing = new();
    private JobReport report = new("Starting.");
    private int isToBeSaved;

    /// <summary>The page of the job that runs.</summary>
    public static JobPage Of(PerformContext context)
    {
        var job = context.BackgroundJob;
        return new JobPage(context.Storage, job.Id, new DateTimeOffset(DateTime.SpecifyKind(job.CreatedAt, DateTimeKind.Utc)), context.ServerId);
    }

    /// <summary>The page of a job that nobody runs, as it was left.</summary>
    public static JobPage Left(JobStorage storage, string jobId, JobReport report) => new(storage, jobId, createdAt: default, server: null) { report = report };

    /// <summary>What a job's page says in the storage; null when it says nothing yet.</summary>
    public static JobReport? ReportOf(JobStorage storage, string jobId)
    {
        using var connection = storage.GetConnection();
        return connection.GetJobParameter(jobId, ReportParameter) is { } stored ? JobReport.FromJson(SerializationHelper.Deserialize<string?>(stored)) : null;
    }

    /// <summary>A job's report when it is newer than what its storage could take; else null.</summary>
    public static JobReport? UnwrittenOf(JobStorage storage, string jobId) => Unwritten.GetValueOrDefault((storage, jobId));

    /// <summary>Whether a job that sends an issue is running, on whatever node.</summary>
    public static bool IsAtWork(JobStorage storage, string slug) => AtWork(storage, slug).Count > 0;

    /// <summary>The job.</summary>
    public string JobId => jobId;

    /// <summary>When somebody triggered the job.</summary>
    public DateTimeOffset CreatedAt => createdAt;

    /// <summary>The issue this job chose, also in an earlier run of the same job; null before it chose.</summary>
    public string? ChosenIssue => Read(IssueParameter);

    /// <summary>Whether the editor deleted the job while it ran. Nobody did when that cannot be read.</summary>
    public bool IsDeleted
    {
        get
        {
            try
            {
                using var connection = storage.GetConnection();
                return connection.GetStateData(jobId)?.Name == DeletedState.StateName;
            }
            catch (Exception trouble) when (JobEdge.IsPassing(trouble))
            {
                return false;
            }
        }
    }

    /// <summary>A job of another server that sends an issue; null when there is none.</summary>
    public string? Elsewhere(string slug) => AtWork(storage, slug).Find(other => other.Job != jobId && other.Server != server).Job;

    /// <summary>Whether a job is being processed: nobody has deleted or requeued it.</summary>
    public bool IsProcessing(string job)
    {
        using var connection = storage.GetConnection();
        return connection.GetStateData(job)?.Name == ProcessingState.StateName;
    }

    /// <summary>Keeps the choice. From here on a requeue of this job deals with this issue and no other.</summary>
    public void Choose(string slug)
    {
        Write(IssueParameter, slug);
        Update(current => current with { Issue = slug });
    }

    /// <summary>Whether it says how the job ended.</summary>
    public bool IsDone
    {
        get
        {
            lock (gate) return report.Done;
        }
    }

    private MailingState? State
    {
        get
        {
            lock (gate) return report.State;
        }
    }

    /// <summary>Says what is going on.</summary>
    public void Say(string headline) => Update(current => current with { Headline = headline, Notice = null, Held = null });

    /// <summary>Says that the run was broken off, and what becomes of what is left.</summary>
    public void Interrupt() => Say(IsDeleted ? $"Deleted. {Waiting}" : State switch
    {
        MailingState.Paused => $"Interrupted. The mailing is paused. {Waiting}",
        MailingState.Cancelled => "Interrupted. The mailing is cancelled; what was not sent stays unsent.",
        _ => "Interrupted. What is left is taken up again by itself.",
    });

    /// <summary>Says that the job waits for the database.</summary>
    /// <param name="trouble">What is wrong with it, and what to do.</param>
    public void WaitFor(Exception trouble) => Update(current => current with
    {
        Notice = $"{trouble.Message} This job waits{(trouble is StorageException { NeedsRestart: true } ? "" : ", and goes on by itself as soon as the database can be used")}.",
    });

    /// <summary>Adds a line about what was decided or found, unless an earlier try of this run found the same.</summary>
    public void Note(string line) => Update(current => current.Notes.Contains(line) ? current : current with { Notes = [.. current.Notes, line] });

    /// <summary>The engine's progress. Waits for nothing: the engine has to look at the ledger, and to say so when that hangs, while this storage does.</summary>
    public void Report(DeliveryProgress value)
    {
        Change(current => current.Done ? current : current with
        {
            State = value.State,
            Held = ProgressWords.Held(value) is { } words ? $"{current.Issue ?? "The mailing"} is {words}." : null,
            Balance = value.Balance,
            MessagesPerSecond = value.MessagesPerSecond,
            Remaining = value.Remaining,
            DoneAt = value.DoneAt,
            Notice = value.Notice,
        });
        if (Interlocked.Exchange(ref isToBeSaved, 1) == 0) _ = Task.Run(SaveReported);
    }

    /// <summary>The job is over.</summary>
    /// <returns>The headline, as the job's result.</returns>
    public string Finish(string headline, MailingState? state = null, Balance? balance = null, DateTimeOffset? nextAttempt = null)
    {
        Update(current => current with
        {
            Headline = headline,
            Done = true,
            State = state,
            Balance = balance,
            Held = null,
            MessagesPerSecond = 0,
            Remaining = null,
            DoneAt = null,
            Notice = null,
            NextAttemptAt = nextAttempt,
        });
        return headline;
    }

    /// <summary>The job is over, since another one does what it is for.</summary>
    /// <param name="other">That one.</param>
    /// <param name="headline">Says so.</param>
    /// <param name="balance">As it stands.</param>
    /// <returns>The headline, as the job's result.</returns>
    public string LeaveTo(string other, string headline, Balance balance)
    {
        Update(current => current with { Other = other });
        return Finish(headline, MailingState.Sending, balance);
    }

    /// <summary>The job cannot do what it is for.</summary>
    /// <param name="reason">What, where, what to do; may have several lines.</param>
    public void Refuse(string reason) => Update(current => current with { Headline = reason, Done = true, Refused = true, Held = null, Notice = null, Remaining = null, DoneAt = null });

    /// <summary>Writes down what could not be written when it was said.</summary>
    public void Save()
    {
        lock (writing)
        {
            if (Newest() is not { } newest) return;
            Write(ReportParameter, newest.ToJson());
            lock (gate)
            {
                if (report == newest) Unwritten.TryRemove((storage, jobId), out _);
            }
        }
    }

    /// <summary>The run is over: from here on the storage's report counts.</summary>
    public void Close()
    {
        lock (writing) Unwritten.TryRemove((storage, jobId), out _);
    }

    private void Update(Func<JobReport, JobReport> change)
    {
        Change(change);
        TrySave();
    }

    private void Change(Func<JobReport, JobReport> change)
    {
        lock (gate) Unwritten[(storage, jobId)] = report = change(report);
    }

    // What is reported while this waits for its turn is written with it.
    private void SaveReported()
    {
        lock (writing)
        {
            Volatile.Write(ref isToBeSaved, 0);
            TrySave();
        }
    }

    // Where it cannot be written, as on a full disk, the job goes on without: the next report has it all.
    private void TrySave()
    {
        try
        {
            Save();
        }
        catch (Exception trouble) when (JobEdge.IsPassing(trouble))
        {
            // Only the page's storage is behind; Hangfire logs what is wrong with it.
        }
    }

    // What is not in the storage yet; null when all is.
    private JobReport? Newest()
    {
        lock (gate) return Unwritten.ContainsKey((storage, jobId)) ? report : null;
    }

    // What has said how it ended is over, though its state is not written yet.
    private static List<(string Job, string? Server)> AtWork(JobStorage storage, string slug)
    {
        using var connection = storage.GetConnection();
        return [.. storage.GetMonitoringApi().ProcessingJobs(0, MostJobs)
            .Where(job => job.Value?.Job is { } call && call.Type != typeof(PreviewJob) && SerializationHelper.Deserialize<string?>(connection.GetJobParameter(job.Key, IssueParameter)) == slug)
            .Where(job => ReportOf(storage, job.Key) is not { Done: true })
            .Select(job => (job.Key, job.Value.ServerId))];
    }

    // A connection of its own: progress comes from the engine's threads while the worker's connection is in use.
    private void Write(string name, string value)
    {
        using var connection = storage.GetConnection();
        connection.SetJobParameter(jobId, name, SerializationHelper.Serialize(value));
    }

    private string? Read(string name)
    {
        using var connection = storage.GetConnection();
        return SerializationHelper.Deserialize<string?>(connection.GetJobParameter(jobId, name));
    }
}
