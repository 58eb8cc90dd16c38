using Hangfire.Storage.Monitoring;
using Microsoft.Extensions.DependencyInjection;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Dashboard;
using WeeklyDigest.Server.Public;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Web;

public sealed class NodesPageTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Shows_who_is_there_and_who_sends_what()
    {
        await using var relay = ScriptedSmtpServer.Start(moment => moment.Stage == SmtpStage.Message ? SmtpMove.Stall : SmtpMove.Accept);
        await using var site = await TestSite.StartAsync(null, ("Smtp:Relays:0:Port", $"{relay.Port}"), ("Smtp:Relays:0:Connections", "2"));
        var mailing = await site.PublishedAsync("week-1", "/posts/week-1", "<p></p>", [.. Enumerable.Range(1, 100).Select(i => $"reader{i}@example.com")]);
        using var editor = await site.EditorAsync();
        await Eventually.HoldsAsync(() => PageAsync().Result.Contains(">sending<", StringComparison.Ordinal), "this server sends", TimeSpan.FromMinutes(1));
        var now = TimeProvider.System.GetUtcNow();
        await site.Installation.Database.Ledger.ClaimAsync(new ClaimRequest(mailing, 5, new Claimant($"Web-2/17/abcdef/{mailing}", now, now.AddMinutes(1))), Cancel);

        var page = await PageAsync();

        Assert.Contains($"{Environment.MachineName.ToLowerInvariant()}, process {Environment.ProcessId}", page, StringComparison.Ordinal);
        Assert.Contains("this page comes from it", page, StringComparison.Ordinal);
        Assert.Contains("runs 4 jobs at a time", page, StringComparison.Ordinal);
        Assert.Contains("web-2, process 17", page, StringComparison.Ordinal);
        Assert.Contains("<a href=\"/hangfire/issues\">week-1</a>: <strong>0</strong> sent so far, <strong>5</strong> recipients in hand", page, StringComparison.Ordinal);

        Task<string> PageAsync() => editor.GetStringAsync(new Uri("/hangfire/nodes", UriKind.Relative), Cancel);
    }

    [Fact]
    public async Task Shows_how_many_each_has_sent_also_when_it_is_done_or_gone()
    {
        await using var site = await TestSite.StartAsync();
        var mailing = await site.PublishedAsync("week-1", "/posts/week-1", "<p></p>", [.. Enumerable.Range(1, 20).Select(i => $"reader{i}@example.com")]);
        using var editor = await site.EditorAsync();
        var now = TimeProvider.System.GetUtcNow();
        await site.Installation.Database.Ledger.NoteSentAsync(new SentNote($"web-2/17/abcdef/{mailing}", 1234, now.AddMinutes(-1), now), Cancel);
        await site.Installation.Database.Ledger.NoteSentAsync(new SentNote($"0-before/9/abcdef/{mailing}", 7, now.AddMinutes(-9), now.AddMinutes(-5)), Cancel);
        await Eventually.HoldsAsync(() => PageAsync().Result.Contains("week-1</a>: <strong>20</strong> sent since", StringComparison.Ordinal), "this server has counted", TimeSpan.FromMinutes(1));

        var page = await PageAsync();

        Assert.Contains("week-1</a>: <strong>1,234</strong> sent since", page, StringComparison.Ordinal);
        Assert.Contains($">not sending</span> <span class=\"wd-date\">a server that was stopped, or a command; last heard of {now:d MMM yyyy HH:mm:ss} UTC", page, StringComparison.Ordinal);
        Assert.DoesNotContain("in hand,", page, StringComparison.Ordinal);
        string[] inOrder = ["this page comes from it", "web-2, process 17", "0-before, process 9"];
        Assert.Equal(inOrder, inOrder.OrderBy(words => page.IndexOf(words, StringComparison.Ordinal)));
        Assert.Contains(inOrder[2], page, StringComparison.Ordinal);

        Task<string> PageAsync() => editor.GetStringAsync(new Uri("/hangfire/nodes", UriKind.Relative), Cancel);
    }

    [Fact]
    public void A_server_that_missed_a_sign_of_life_is_not_called_ready()
    {
        string Page(int seconds) => NodesView.List(new DashboardPage("Nodes", _ => Html.Of($"")),
            [new NodeRow("web-2", 17, new ServerDto { WorkersCount = 4, Heartbeat = new DateTime(2026, 1, 7, 8, 30, 0, DateTimeKind.Utc) }, TimeSpan.FromSeconds(seconds), [])]).ToString();

        Assert.Contains(">ready<", Page(40), StringComparison.Ordinal);
        Assert.Contains("last sign of life 7 Jan 2026 08:30:00 UTC, 40 seconds ago", Page(40), StringComparison.Ordinal);
        Assert.Contains(">not heard of since 7 Jan 2026 08:30:00 UTC<", Page(61), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_runs_no_jobs_is_there_as_well_and_still_sends_what_others_send()
    {
        await using var site = await TestSite.StartAsync(null, ("Jobs:Workers", "0"));
        using var editor = await site.EditorAsync();
        await Eventually.HoldsAsync(() => PageAsync().Result.Contains("helps to send, runs no jobs", StringComparison.Ordinal), "it is announced", TimeSpan.FromMinutes(1));
        var mailing = await site.PublishedAsync("week-1", "/posts/week-1", "<p></p>", "ada@example.com", "bob@example.com");
        var now = TimeProvider.System.GetUtcNow();
        var mailings = site.Installation.Database.Mailings;
        await mailings.ChangeStateAsync(mailing, [MailingState.Scheduled], MailingState.Sending, null, now, Cancel);
        await site.Installation.Database.Ledger.ClaimAsync(new ClaimRequest(mailing, 1, new Claimant($"web-2/17/abcdef/{mailing}", now, now.AddMinutes(5))), Cancel);

        await Eventually.HoldsAsync(() => site.Inbox.Count == 1, "it sends what the other left", TimeSpan.FromMinutes(1));
        await site.App.StopAsync(Cancel);
        Assert.Empty(site.App.Services.GetRequiredService<Hangfire.JobStorage>().GetMonitoringApi().Servers());

        Task<string> PageAsync() => editor.GetStringAsync(new Uri("/hangfire/nodes", UriKind.Relative), Cancel);
    }
}
