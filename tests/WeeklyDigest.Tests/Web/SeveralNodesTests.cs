using System.Net;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using WeeklyDigest.Server.Desk;
using WeeklyDigest.Storage;
using WeeklyDigest.Tests.Databases;

namespace WeeklyDigest.Tests.Web;

/// <summary>Nodes on one database behind something that sends each request to any of them, as an editor meets them.</summary>
public sealed class SeveralNodesTests : IDisposable
{
    private readonly string connection = SharedPostgres.NewJobDatabase();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => SharedPostgres.Server.Drop(connection);

    [Fact]
    public async Task Who_signs_in_at_one_is_known_at_the_other_and_each_takes_the_forms_and_links_of_both()
    {
        await using var one = await StartAsync();
        await using var other = await StartAsync();
        using var editor = one.Client();
        var link = new Uri(await one.SignInLinkAsync()).PathAndQuery;
        using var form = TestSite.FormOf(await editor.GetStringAsync(At(other, link), Cancel));
        using var signedIn = await editor.PostAsync(At(one, "/sign-in/link"), form, Cancel);
        Assert.Equal("/hangfire/issues", signedIn.Headers.Location?.ToString());

        foreach (var (shows, takes) in ((TestSite, TestSite)[])[(one, other), (other, one)])
        {
            using var inside = await editor.GetAsync(At(takes, "/inbox"), Cancel);
            Assert.Equal(HttpStatusCode.OK, inside.StatusCode);
            using var used = TestSite.FormOf(await editor.GetStringAsync(At(shows, link), Cancel));
            using var answer = await editor.PostAsync(At(takes, "/sign-in/link"), used, Cancel);
            // Not that the form is out of date: it was read, and the link in it has been used.
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        }
        foreach (var node in (TestSite[])[one, other])
            lock (node.Log) Assert.DoesNotContain(node.Log, line => line.Contains("masterKey", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Nodes_that_start_at_the_same_moment_have_one_key()
    {
        using var ready = new Barrier(6);
        var databases = Enumerable.Range(0, 6).Select(_ => Open()).ToList();
        var nodes = databases.Select(KeysOf).ToList();
        await Task.WhenAll(nodes.Select(node => Task.Factory.StartNew(
            () =>
            {
                var services = node.GetServices<IHostedService>().ToList();
                ready.SignalAndWait(Cancel);
                foreach (var service in services) service.StartAsync(Cancel).Wait(Cancel);
            },
            Cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

        foreach (var from in nodes)
            foreach (var to in nodes)
                Assert.Equal("hello", to.GetDataProtector("test").Unprotect(from.GetDataProtector("test").Protect("hello")));
        Assert.Single(await databases[0].SignIns!.KeysAsync(Cancel));
        foreach (var node in nodes) await node.DisposeAsync();
        foreach (var database in databases) database.Dispose();
    }

    [Fact]
    public async Task A_link_lets_in_once_at_whichever_node_and_not_when_it_is_too_old()
    {
        using var one = Open();
        using var other = Open();
        await one.SignIns!.AddLinkAsync("old", TimeSpan.Zero, Cancel);
        Assert.False(await other.SignIns!.UseLinkAsync("old", Cancel));
        await one.SignIns.AddLinkAsync("older", TimeSpan.Zero, Cancel);
        await one.SignIns.AddLinkAsync("new", TimeSpan.FromHours(1), Cancel);
        Assert.Equal(["sign-in-link/new"], Rows());
        var uses = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => (i % 2 == 0 ? one : other).SignIns!.UseLinkAsync("new", Cancel)));
        Assert.Equal(1, uses.Count(good => good));
        Assert.Empty(Rows());
    }

    private Task<TestSite> StartAsync() => TestSite.StartAsync(null, ("Storage:Provider", "postgres"), ("Storage:ConnectionString", connection), ("Jobs:Workers", "0"));

    private Database Open() => Database.Open(SharedPostgres.Options(connection), TimeProvider.System);

    private static ServiceProvider KeysOf(Database database)
    {
        var services = new ServiceCollection();
        services.AddLogging().AddSingleton(TimeProvider.System).AddSingleton(database);
        EditorsOnly.AddKeys(services, database, "no folder");
        return services.BuildServiceProvider();
    }

    private string[] Rows() => SharedPostgres.Server.Scalar<string[]>(
        "SELECT array(SELECT name FROM weeklydigest.secret WHERE name LIKE 'sign-in-link/%' ORDER BY name)", new NpgsqlConnectionStringBuilder(connection).Database!);

    private static Uri At(TestSite node, string path) => new(node.Address, path);
}
