using System.Data.Common;
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
internal sealed class JobPage(JobStorage storage, string jobId, DateTimeOffset createdAt) : IProgress<DeliveryProgress>
{
    /// <summary>
    /// Name of the parameter that holds the report. The dashboard lists all parameters of a job in its page, except those with this
    /// prefix; the report is shown as a table instead.
    /// </summary>
    public const string ReportParameter = "DBG_WeeklyDigest";

    /// <summary>Name of the parameter that holds the issue's slug.</summary>
    public const string IssueParameter = "Issue";

    private readonly Lock gate = new();
    private JobReport report = new("Starting.");

    /// <summary>The page of the job that runs.</summary>
    public static JobPage Of(PerformContext context)
    {
        var job = context.BackgroundJob;
        return new JobPage(context.Storage, job.Id, new DateTimeOffset(DateTime.SpecifyKind(job.CreatedAt, DateTimeKind.Utc)));
    }

    /// <summary>When somebody triggered the job.</summary>
    public DateTimeOffset CreatedAt => createdAt;

    /// <summary>The issue this job chose, also in an earlier run of the same job; null before it chose.</summary>
    public string? ChosenIssue => Read(IssueParameter);

    /// <summary>Whether the editor deleted the job while it ran.</summary>
    public bool IsDeleted
    {
        get
        {
            using var connection = storage.GetConnection();
            return connection.GetStateData(jobId)?.Name == DeletedState.StateName;
        }
    }

    /// <summary>Keeps the choice. From here on a requeue of this job deals with this issue and no other.</summary>
    public void Choose(string slug)
    {
        Write(IssueParameter, slug);
        Update(current => current with { Issue = slug });
    }

    /// <summary>Says what is going on.</summary>
    public void Say(string headline) => Update(current => current with { Headline = headline });

    /// <summary>Adds a line about what was decided or found.</summary>
    public void Note(string line) => Update(current => current with { Notes = [.. current.Notes, line] });

    /// <summary>The engine's progress. Where it cannot be written down, as on a full disk, the sending goes on without: the next report has it all.</summary>
    public void Report(DeliveryProgress value)
    {
        try
        {
            Update(current => current.Done ? current : current with
            {
                State = MailingState.Sending,
                Balance = value.Balance,
                MessagesPerSecond = value.MessagesPerSecond,
                Remaining = value.Remaining,
                DoneAt = value.DoneAt,
                Notice = value.Notice,
            });
        }
        catch (Exception failure) when (failure is DbException or IOException)
        {
            // Only the page is behind; Hangfire logs what is wrong with its storage.
        }
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
            MessagesPerSecond = 0,
            Remaining = null,
            DoneAt = null,
            Notice = null,
            NextAttemptAt = nextAttempt,
        });
        return headline;
    }

    /// <summary>The job cannot do what it is for.</summary>
    /// <param name="reason">What, where, what to do; may have several lines.</param>
    public void Refuse(string reason) => Update(current => current with { Headline = reason, Done = true, Refused = true, Notice = null, Remaining = null, DoneAt = null });

    private void Update(Func<JobReport, JobReport> change)
    {
        lock (gate)
        {
            report = change(report);
            Write(ReportParameter, report.ToJson());
        }
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
