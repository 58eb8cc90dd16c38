using Hangfire;
using Hangfire.Common;
using Hangfire.States;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Tests.JobStorage;

namespace WeeklyDigest.Tests.Jobs;

public sealed class StartedJobsTests : IDisposable
{
    private readonly InMemoryJobPlace place = new();
    private readonly SetBackClock clock = new();

    public void Dispose() => place.Dispose();

    [Fact]
    public void What_failed_a_minute_ago_may_have_another_job_also_when_the_clock_was_set_back()
    {
        var storage = place.Open();
        var started = new StartedJobs<int>(storage, clock);
        started.Add(7, new BackgroundJobClient(storage, new JobFilterCollection()).Create(Job.FromExpression(() => Console.WriteLine()), new FailedState(new InvalidOperationException("no"))));
        clock.SetBack(TimeSpan.FromDays(1));
        clock.Pass(TimeSpan.FromSeconds(59));
        Assert.True(started.Have(7, out _));
        clock.Pass(TimeSpan.FromSeconds(1));
        Assert.False(started.Have(7, out _));
    }
}
