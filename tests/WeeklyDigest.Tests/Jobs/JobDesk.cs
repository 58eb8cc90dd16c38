using Hangfire;
using Hangfire.Common;
using Hangfire.States;
using Microsoft.Extensions.DependencyInjection;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Tests.Web;

namespace WeeklyDigest.Tests.Jobs;

/// <summary>Does with the jobs of a site what the dashboard's buttons do, and reads what their pages say.</summary>
internal sealed class JobDesk(TestSite site)
{
    public Hangfire.JobStorage Storage { get; } = site.App.Services.GetRequiredService<Hangfire.JobStorage>();

    /// <summary>Trigger now.</summary>
    /// <returns>The job.</returns>
    public string Trigger(string recurringJob) => site.App.Services.GetRequiredService<IRecurringJobManagerV2>().TriggerJob(recurringJob);

    /// <summary>Requeue.</summary>
    public void Requeue(string job) => Assert.True(site.App.Services.GetRequiredService<IBackgroundJobClient>().ChangeState(job, new EnqueuedState()));

    /// <summary>Waits until a job is over.</summary>
    public async Task<JobReport> EndAsync(string job, string state = "Succeeded")
    {
        await Eventually.HoldsAsync(() => State(job) is "Succeeded" or "Failed" or "Deleted", $"job {job} ends", TimeSpan.FromMinutes(2));
        var report = Report(job)!;
        Assert.True(state == State(job), $"{State(job)}: {report.ToJson()}");
        return report;
    }

    /// <summary>What a job's page says now.</summary>
    public JobReport? Report(string job)
    {
        using var connection = Storage.GetConnection();
        var json = connection.GetJobParameter(job, JobPage.ReportParameter);
        return json is null ? null : JobReport.FromJson(SerializationHelper.Deserialize<string>(json));
    }

    private string? State(string job)
    {
        using var connection = Storage.GetConnection();
        return connection.GetJobData(job)?.State;
    }
}
