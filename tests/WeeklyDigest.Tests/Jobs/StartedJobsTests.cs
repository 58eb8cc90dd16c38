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
    private readonly Hangfire.JobStorage storage;

    public StartedJobsTests() => storage = place.Open();

    public void Dispose() => place.Dispose();

    [Fact]
    public void What_failed_a_minute_ago_may_have_another_job_also_when_the_clock_was_set_back()
    {
        var started = new StartedJobs<int>(storage, clock);
        started.Add(7, Job(Failed));
        clock.SetBack(TimeSpan.FromDays(1));
        RestsFor(started, TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void What_fails_again_and_again_rests_longer_each_time_but_never_very_long()
    {
        var started = new StartedJobs<int>(storage, clock);
        foreach (var minutes in new[] { 1, 2, 4, 8, 15, 15 })
        {
            started.Add(7, Job(Failed));
            RestsFor(started, TimeSpan.FromMinutes(minutes));
        }

        // One that did its work: what fails after it fails for the first time.
        started.Add(7, Job(new SucceededState(null, 0, 0)));
        Assert.False(started.Have(7, out _));
        started.Add(7, Job(Failed));
        RestsFor(started, TimeSpan.FromMinutes(1));
    }

    private static FailedState Failed => new(new InvalidOperationException("no"));

    private string Job(IState state) => new BackgroundJobClient(storage, new JobFilterCollection()).Create(Hangfire.Common.Job.FromExpression(() => Console.WriteLine()), state);

    private void RestsFor(StartedJobs<int> started, TimeSpan rest)
    {
        clock.Pass(rest - TimeSpan.FromSeconds(1));
        Assert.True(started.Have(7, out _));
        clock.Pass(TimeSpan.FromSeconds(1));
        Assert.False(started.Have(7, out _));
    }
}
