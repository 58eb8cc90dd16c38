using Hangfire;
using Hangfire.Common;
using Hangfire.States;
using Microsoft.Extensions.DependencyInjection;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Tests.Relays;
using WeeklyDigest.Tests.Web;

namespace WeeklyDigest.Tests.Jobs;

/// <summary>The editor deletes or requeues jobs in Hangfire's dashboard: what a mailing does then, and that nobody gets two.</summary>
public sealed class DeletedJobTests
{
    private const int Readers = 2000;

    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    // As at a server that helped the other until a requeue brought it the job.
    [InlineData(true)]
    public async Task A_deleted_job_holds_its_mailing_until_it_is_resumed(bool isJoined)
    {
        await using var relay = ScriptedSmtpServer.Start(Slowly);
        await using var site = await TestSite.StartAsync(null, ("Smtp:Relays:0:Port", $"{relay.Port}"));
        var mailing = await PublishAsync(site);
        if (isJoined) site.App.Services.GetRequiredService<JoinedMailings>().Join(mailing, Cancel);
        var jobs = site.App.Services.GetRequiredService<IBackgroundJobClient>();
        var job = jobs.Enqueue<DeliverMailingJob>(deliver => deliver.RunAsync(mailing, null, CancellationToken.None));
        await relay.WaitForAcceptedAsync(20, TimeSpan.FromMinutes(1));

        foreach (var running in Processing(site)) Assert.True(jobs.Delete(running));
        await Eventually.HoldsAsync(() => Find(site, mailing) is { State: MailingState.Paused }, "the mailing is held");
        Assert.Equal("its job was deleted", Find(site, mailing).StateReason);
        await Eventually.HoldsAsync(() => Balance(site, mailing) is { Claimed: 0, Sending: 0 }, "what was on the wire is finished");
        await site.App.Services.GetRequiredService<IEnumerable<Microsoft.Extensions.Hosting.IHostedService>>().OfType<LedgerWatch>().Single().LookAtMailingsAsync(Cancel);
        Assert.Equal(MailingState.Paused, Find(site, mailing).State);
        var held = relay.AcceptedCount;
        Assert.Equal((held, 0L), ((int)Balance(site, mailing).Sent, Balance(site, mailing).Uncertain));
        await Eventually.HoldsAsync(() => new JobDesk(site).Report(job)!.Headline.Contains("resumed", StringComparison.Ordinal), "the job's page says how to go on");
        Assert.Equal(Balance(site, mailing), new JobDesk(site).Report(job)!.Balance);

        relay.Script = _ => SmtpMove.Accept;
        Assert.True(await site.Installation.Database.Mailings.ChangeStateAsync(mailing, [MailingState.Paused], MailingState.Sending, null, TimeProvider.System.GetUtcNow(), Cancel));
        await Eventually.HoldsAsync(() => Find(site, mailing).State == MailingState.Sent, "the watch goes on with it", TimeSpan.FromMinutes(1));
        Assert.Equal((Readers, Readers), (relay.AcceptedCount, relay.Accepted.Select(message => message.Recipient).Distinct().Count()));
    }

    [Fact]
    public async Task A_deleted_job_says_so_when_another_one_goes_on_with_its_mailing()
    {
        await using var relay = ScriptedSmtpServer.Start(Slowly);
        await using var site = await TestSite.StartAsync(null, ("Smtp:Relays:0:Port", $"{relay.Port}"));
        var mailing = await PublishAsync(site);
        var jobs = site.App.Services.GetRequiredService<IBackgroundJobClient>();
        var first = jobs.Enqueue<SendIssueJob>(send => send.RunAsync("week-1", null, CancellationToken.None));
        await relay.WaitForAcceptedAsync(20, TimeSpan.FromMinutes(1));

        // The second may begin before the first has seen that it was deleted.
        Assert.True(jobs.Delete(first));
        var second = jobs.Enqueue<SendIssueJob>(send => send.RunAsync("week-1", null, CancellationToken.None));
        await Eventually.HoldsAsync(() => new JobDesk(site).Report(second) is { Balance: not null, Done: false }, "the second delivers");
        await Eventually.HoldsAsync(() => new JobDesk(site).Report(first) is { Done: true }, "its page says how it ended");
        Assert.EndsWith("another job goes on with it.", new JobDesk(site).Report(first)!.Headline, StringComparison.Ordinal);
        relay.Script = _ => SmtpMove.Accept;
        await Eventually.HoldsAsync(() => Find(site, mailing).State == MailingState.Sent, "the other one sent it", TimeSpan.FromMinutes(1));
        Assert.Equal(Readers, relay.AcceptedCount);
    }

    // What another node's worker does, as far as this one can see it: a job that is processed, and that this process does not run.
    [Fact]
    public async Task A_deleted_job_leaves_its_mailing_to_the_job_of_another_node()
    {
        await using var relay = ScriptedSmtpServer.Start(Slowly);
        await using var site = await TestSite.StartAsync(null, ("Smtp:Relays:0:Port", $"{relay.Port}"));
        var mailing = await PublishAsync(site);
        var jobs = site.App.Services.GetRequiredService<IBackgroundJobClient>();
        LeftBehind(site, mailing, isProcessed: true);
        var job = jobs.Enqueue<DeliverMailingJob>(deliver => deliver.RunAsync(mailing, null, CancellationToken.None));
        await relay.WaitForAcceptedAsync(20, TimeSpan.FromMinutes(1));

        Assert.True(jobs.Delete(job));
        await Eventually.HoldsAsync(() => new JobDesk(site).Report(job) is { Done: true }, "its page says how it ended");
        Assert.EndsWith("another job goes on with it.", new JobDesk(site).Report(job)!.Headline, StringComparison.Ordinal);
        Assert.Equal(MailingState.Sending, Find(site, mailing).State);
    }

    // What a process that was killed leaves, while this one only helps: a job that is processed, or was requeued and did not run again, and a page that says nothing of an end.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_job_that_is_deleted_after_its_process_died_holds_its_mailing_too_and_its_page_says_so(bool isProcessed)
    {
        await using var relay = ScriptedSmtpServer.Start(Slowly);
        await using var site = await TestSite.StartAsync(null, ("Smtp:Relays:0:Port", $"{relay.Port}"), ("Jobs:Workers", "0"));
        var mailing = await PublishAsync(site);
        var job = LeftBehind(site, mailing, isProcessed);
        var joined = site.App.Services.GetRequiredService<JoinedMailings>();
        joined.Join(mailing, Cancel);
        await relay.WaitForAcceptedAsync(20, TimeSpan.FromMinutes(1));

        Assert.True(site.App.Services.GetRequiredService<IBackgroundJobClient>().Delete(job));
        await Eventually.HoldsAsync(() => Find(site, mailing).State == MailingState.Paused, "the mailing is held", TimeSpan.FromMinutes(1));
        Assert.Equal("its job was deleted", Find(site, mailing).StateReason);
        await Eventually.HoldsAsync(() => new JobDesk(site).Report(job) is { Done: true }, "its page says how it ended", TimeSpan.FromMinutes(1));
        var report = new JobDesk(site).Report(job)!;
        Assert.EndsWith("; what is left waits until it is resumed on the page Issues.", report.Headline, StringComparison.Ordinal);
        Assert.Equal((MailingState.Paused, Balance(site, mailing), "Published."), (report.State, report.Balance, Assert.Single(report.Notes)));

        relay.Script = _ => SmtpMove.Accept;
        await ResumeAsync(site, mailing, joined);
        await Eventually.HoldsAsync(() => Find(site, mailing).State == MailingState.Sent, "resumed, it is sent", TimeSpan.FromMinutes(1));
        Assert.Equal(Readers, relay.AcceptedCount);
    }

    [Fact]
    public async Task What_was_resumed_after_its_job_was_deleted_is_not_held_again()
    {
        await using var relay = ScriptedSmtpServer.Start(Slowly);
        await using var site = await TestSite.StartAsync(null, ("Smtp:Relays:0:Port", $"{relay.Port}"), ("Jobs:Workers", "0"));
        var mailing = await PublishAsync(site);
        var job = LeftBehind(site, mailing, isProcessed: true);
        var joined = site.App.Services.GetRequiredService<JoinedMailings>();
        Assert.True(site.App.Services.GetRequiredService<IBackgroundJobClient>().Delete(job));
        await Eventually.HoldsAsync(() => Find(site, mailing).State == MailingState.Paused, "the mailing is held", TimeSpan.FromMinutes(1));
        await ResumeAsync(site, mailing, joined);
        await Eventually.HoldsAsync(() => new JobDesk(site).Report(job) is { Done: true }, "its page says how it ended", TimeSpan.FromMinutes(1));
        Assert.Equal(MailingState.Sending, Find(site, mailing).State);
        Assert.EndsWith("; it was resumed, and goes on.", new JobDesk(site).Report(job)!.Headline, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_requeued_job_goes_on_where_it_was()
    {
        await using var relay = ScriptedSmtpServer.Start(Slowly);
        await using var site = await TestSite.StartAsync(null, ("Smtp:Relays:0:Port", $"{relay.Port}"));
        var mailing = await PublishAsync(site);
        var job = site.App.Services.GetRequiredService<IBackgroundJobClient>().Enqueue<DeliverMailingJob>(deliver => deliver.RunAsync(mailing, null, CancellationToken.None));
        foreach (var accepted in new[] { 20, 60, 100 })
        {
            await relay.WaitForAcceptedAsync(accepted, TimeSpan.FromMinutes(1));
            new JobDesk(site).Requeue(job);
        }
        relay.Script = _ => SmtpMove.Accept;
        await Eventually.HoldsAsync(() => Find(site, mailing).State == MailingState.Sent, "it was sent", TimeSpan.FromMinutes(1));
        Assert.Equal((Readers, Readers), (relay.AcceptedCount, relay.Accepted.Select(message => message.Recipient).Distinct().Count()));
        Assert.Equal(Readers, Balance(site, mailing).Sent);
    }

    private static string LeftBehind(TestSite site, long mailing, bool isProcessed)
    {
        var jobs = site.App.Services.GetRequiredService<IBackgroundJobClient>();
        var job = jobs.Create<DeliverMailingJob>(deliver => deliver.RunAsync(mailing, null, CancellationToken.None), new EnqueuedState("nobody-here"));
        using var connection = new JobDesk(site).Storage.GetConnection();
        connection.SetJobParameter(job, JobPage.IssueParameter, SerializationHelper.Serialize("week-1"));
        // A job that was requeued begins its page anew.
        var report = new JobReport("Sending week-1.") { Issue = isProcessed ? "week-1" : null, State = MailingState.Sending, Notes = ["Published."] };
        connection.SetJobParameter(job, JobPage.ReportParameter, SerializationHelper.Serialize(report.ToJson()));
        if (!isProcessed) return job;
        using var change = connection.CreateWriteTransaction();
        change.SetJobState(job, new ElsewhereState());
        change.Commit();
        return job;
    }

    // As the page Issues does where this node has no workers: it joins whoever is sending, and here that is nobody but itself.
    private static async Task ResumeAsync(TestSite site, long mailing, JoinedMailings joined)
    {
        Assert.True(await site.Installation.Database.Mailings.ChangeStateAsync(mailing, [MailingState.Paused], MailingState.Sending, null, TimeProvider.System.GetUtcNow(), Cancel));
        joined.Join(mailing, Cancel);
    }

    /// <summary>Processing, by a server of another node.</summary>
    private sealed class ElsewhereState : IState
    {
        public string Name => ProcessingState.StateName;

        public string? Reason => null;

        public bool IsFinal => false;

        public bool IgnoreJobLoadException => false;

        public Dictionary<string, string> SerializeData() => new()
        {
            ["StartedAt"] = JobHelper.SerializeDateTime(TimeProvider.System.GetUtcNow().UtcDateTime), ["ServerId"] = "elsewhere", ["WorkerId"] = "1",
        };
    }

    private static List<string> Processing(TestSite site)
        => [.. new JobDesk(site).Storage.GetMonitoringApi().ProcessingJobs(0, 10).Select(entry => entry.Key), .. new JobDesk(site).Storage.GetMonitoringApi().EnqueuedJobs(EnqueuedState.DefaultQueue, 0, 10).Select(entry => entry.Key)];

    private static SmtpMove Slowly(SmtpMoment moment) => moment.Stage == SmtpStage.Message
        ? SmtpMove.Hold(Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System), SmtpMove.Accept)
        : SmtpMove.Accept;

    private static Task<long> PublishAsync(TestSite site)
        => site.PublishedAsync("week-1", "/posts/week-1", "<p></p>", [.. Enumerable.Range(1, Readers).Select(i => $"reader{i}@example.com")]);

    private static Mailing Find(TestSite site, long mailing) => site.Installation.Database.Mailings.FindAsync(mailing, CancellationToken.None).Result!;

    private static Balance Balance(TestSite site, long mailing) => site.Installation.Database.Mailings.BalanceAsync(mailing, CancellationToken.None).Result;
}
