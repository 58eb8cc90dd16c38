using WeeklyDigest.Tests.Databases;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>Several servers lose their database at the same time.</summary>
public sealed class NodesWithoutDatabaseTests : IDisposable
{
    private const int Subscribers = 800;

    // One of its own: stopping the shared one would stop the others' tests.
    private readonly PrivatePostgres server = new();

    public static TheoryData<string> Settings { get; } = Scale.Of<TheoryData<string>>(["resend"], ["resend", "hold"]);

    public void Dispose() => server.Dispose();

    // Longer than a lease: each node finds the leases of the others ended, and its own.
    [Theory]
    [MemberData(nameof(Settings))]
    public async Task Nodes_that_all_lost_the_database_for_longer_than_a_lease_do_not_give_one_another_up(string onUncertain)
    {
        await using var cluster = await Cluster.StartAsync(server.CreateDatabase(), 2, Subscribers, onUncertain);
        using (var editor = await Editor.SignInAsync(cluster.Nodes[0].Printed)) await editor.TriggerAsync("weekly-digest");
        await cluster.AllSendAsync();
        server.Stop();
        await Task.Delay(Cluster.Lease + TimeSpan.FromSeconds(3), TimeProvider.System, TestContext.Current.CancellationToken);
        var before = cluster.Accepted;
        server.Start();
        await cluster.SentAsync("week-1");

        var accounts = await Accounts.ReadAsync(cluster.First, "week-1");
        accounts.AgreeWith(cluster.Relays);
        Assert.InRange(before, 1, Subscribers - 100);
        Assert.Equal((Subscribers, 0, 0), (accounts["sent"], accounts["uncertain"], cluster.Copies));
    }
}
