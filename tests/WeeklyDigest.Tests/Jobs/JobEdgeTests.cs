using Hangfire;
using Hangfire.Common;
using Hangfire.Server;
using Hangfire.States;
using Hangfire.Storage;
using Microsoft.Extensions.DependencyInjection;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Tests.Web;

namespace WeeklyDigest.Tests.Jobs;

/// <summary>A job whose database is away for a while.</summary>
public sealed class JobEdgeTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("The disk is full: make room.", false, " This job waits, and goes on by itself as soon as the database can be used.")]
    [InlineData("Put that file back and start again.", true, " This job waits.")]
    public async Task A_job_waits_for_its_database_says_so_and_goes_on(string words, bool needsRestart, string then)
    {
        await using var site = await TestSite.StartAsync();
        var desk = new JobDesk(site);
        using var editor = await site.EditorAsync();
        using var connection = desk.Storage.GetConnection();
        var tries = 0;
        string? waiting = null;

        var result = await Edge(site).RunAsync(Context(site, connection, out var job), async page =>
        {
            if (++tries < 3) throw new StorageException(words) { NeedsRestart = needsRestart };
            waiting = await editor.GetStringAsync(new Uri($"/hangfire/jobs/details/{job}", UriKind.Relative), Cancel);
            return page.Finish("Done.");
        }, Cancel);

        Assert.Equal(("Done.", 3), (result, tries));
        Assert.Contains(words + then, waiting, StringComparison.Ordinal);
        Assert.Equal(("Done.", true, null), (desk.Report(job)!.Headline, desk.Report(job)!.Done, desk.Report(job)!.Notice));
    }

    [Fact]
    public async Task One_whose_database_is_damaged_fails_and_one_that_is_stopped_waits_no_longer()
    {
        await using var site = await TestSite.StartAsync();
        using var connection = new JobDesk(site).Storage.GetConnection();
        using var stopping = new CancellationTokenSource();

        await Assert.ThrowsAsync<StorageException>(() => Edge(site).RunAsync(Context(site, connection, out _), _ => throw new StorageException("damaged") { IsLasting = true }, Cancel));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Edge(site).RunAsync(Context(site, connection, out _), async _ =>
        {
            await stopping.CancelAsync();
            throw new StorageException("away");
        }, stopping.Token));
    }

    [Theory]
    [InlineData(MailingState.Sending, "Sending week-1.", "Interrupted. What is left is taken up again by itself.")]
    [InlineData(MailingState.Paused, "week-1 is paused: by the editor; 1 answer is awaited.", "Interrupted. The mailing is paused. What is left waits until it is resumed on the page Issues.")]
    [InlineData(MailingState.Cancelled, "week-1 is cancelled; what was not sent stays unsent; 1 answer is awaited.", "Interrupted. The mailing is cancelled; what was not sent stays unsent.")]
    public async Task A_page_says_how_the_mailing_stands_and_when_the_server_stops_what_becomes_of_the_rest(MailingState state, string words, string then)
    {
        await using var site = await TestSite.StartAsync();
        var desk = new JobDesk(site);
        using var editor = await site.EditorAsync();
        using var connection = desk.Storage.GetConnection();
        using var stopping = new CancellationTokenSource();
        var context = Context(site, connection, out var job);
        var shown = "";

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Edge(site).RunAsync(context, async page =>
        {
            page.Choose("week-1");
            page.Say("Sending week-1.");
            page.Report(new DeliveryProgress(Balance.OfNew(10) with { Pending = 9, Sending = 1 }, 0, null, null) { State = state, StateReason = "by the editor" });
            shown = await editor.GetStringAsync(new Uri($"/hangfire/jobs/details/{job}", UriKind.Relative), Cancel);
            await stopping.CancelAsync();
            stopping.Token.ThrowIfCancellationRequested();
            return "";
        }, stopping.Token));

        Assert.Contains($"role=\"status\">{words}</div>", shown, StringComparison.Ordinal);
        Assert.Equal(state == MailingState.Sending, shown.Contains("time left unknown", StringComparison.Ordinal));
        Assert.Equal((then, null), (desk.Report(job)!.Headline, desk.Report(job)!.Held));
    }

    [Fact]
    public async Task No_job_is_failed_because_its_storage_was_away()
    {
        await using var site = await TestSite.StartAsync(null, ("Jobs:Workers", "0"));
        var storage = new JobDesk(site).Storage;
        using var connection = storage.GetConnection();
        var context = Context(site, connection, out var job);
        var states = site.App.Services.GetRequiredService<IBackgroundJobStateChanger>();
        StateChangeContext To(Exception cause) => new(storage, context.Connection, job, new FailedState(cause), EnqueuedState.StateName);

        Assert.Throws<StorageException>(() => states.ChangeState(To(new StorageException("away"))));
        Assert.Throws<StorageException>(() => states.ChangeState(To(new Hangfire.Storage.SQLite.SQLiteStorageException("full"))));
        Assert.Equal(EnqueuedState.StateName, connection.GetStateData(job).Name);
        Assert.Equal(FailedState.StateName, states.ChangeState(To(new InvalidOperationException("a mistake"))).Name);
    }

    private static JobEdge Edge(TestSite site) => site.App.Services.GetRequiredService<JobEdge>();

    // A job that no worker takes: the test runs it.
    private static PerformContext Context(TestSite site, IStorageConnection connection, out string id)
    {
        var job = Job.FromExpression<SendIssueJob>(send => send.RunAsync("week-1", null, CancellationToken.None), "nobody");
        id = site.App.Services.GetRequiredService<IBackgroundJobClient>().Create(job, new EnqueuedState("nobody"));
        return new PerformContext(new JobDesk(site).Storage, connection, new BackgroundJob(id, job, TimeProvider.System.GetUtcNow().UtcDateTime), new JobCancellationToken(canceled: false));
    }
}
