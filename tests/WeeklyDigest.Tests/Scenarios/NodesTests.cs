namespace WeeklyDigest.Tests.Scenarios;

/// <summary>Several servers send one mailing, and die at any moment.</summary>
public sealed class NodesTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);
    private static readonly int Subscribers = Scale.Of(600, 20_000);
    private static readonly int Kills = Scale.Of(1, 8);

    public static TheoryData<int, string> Clusters { get; } = Scale.Of<TheoryData<int, string>>(
        new() { { 3, "hold" } },
        new() { { 2, "hold" }, { 3, "hold" }, { 2, "resend" }, { 3, "resend" } });

    [Fact]
    public async Task A_job_that_is_deleted_at_another_node_after_its_own_was_killed_pauses_its_mailing()
    {
        await using var cluster = await Cluster.StartAsync(2, 8000, "resend");
        using (var first = await Editor.SignInAsync(cluster.Nodes[0].Printed)) await first.TriggerAsync("weekly-digest");
        await cluster.AllSendAsync();
        using var second = await Editor.SignInAsync(cluster.Nodes[1].Printed);
        var job = await second.LastJobAsync("weekly-digest") ?? throw new InvalidOperationException("Nothing was triggered.");
        cluster.Nodes[0].Kill();
        // The ledger's watch may have started one more before anything was claimed.
        foreach (var running in await second.ProcessingAsync()) await second.DeleteAsync(running);

        await Eventually.HoldsAsync(() => second.TextAsync($"/hangfire/jobs/details/{job}").Result.Contains("what is left waits until it is resumed on the page Issues", StringComparison.Ordinal), "its page says how it ended", TimeSpan.FromMinutes(1));
        Assert.Equal("paused", (await cluster.First.JsonHereAsync("status", "week-1", "--json")).GetProperty("state").GetString());
        Assert.InRange(cluster.Accepted, 40, 7000);
    }

    [Theory]
    [MemberData(nameof(Clusters))]
    public async Task Whichever_is_killed_nobody_is_lost_and_two_go_only_to_whom_a_dead_one_was_sending(int count, string onUncertain)
    {
        await using var cluster = await Cluster.StartAsync(count, Subscribers, onUncertain);
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var open = await SendAsync(cluster, new Random(seed));

        var accounts = await Accounts.ReadAsync(cluster.First, "week-1");
        accounts.AgreeWith(cluster.Relays);
        TestContext.Current.TestOutputHelper!.WriteLine($"{string.Join(" + ", cluster.Relays.Select(relay => relay.AcceptedCount))} messages, {accounts["uncertain"]} uncertain, {open} connections open at the kills");
        Assert.All(cluster.Relays, relay => Assert.NotEqual(0, relay.AcceptedCount));
        // Sent again once; whoever is uncertain a second time is the editor's.
        Assert.Equal(Subscribers, accounts["sent"] + accounts["uncertain"]);
        Assert.InRange(accounts["uncertain"], 0, open);
        Assert.InRange(cluster.Copies, 0, onUncertain == "hold" ? 0 : open);
    }

    /// <summary>Sends week 1, kills servers at random, and waits for the end. The last one killed does not come back: the others take over.</summary>
    /// <returns>How many connections were open at the kills: with the stand-ins of stalled ones, they may be more than the settings say.</returns>
    private static async Task<int> SendAsync(Cluster cluster, Random random)
    {
        using (var editor = await Editor.SignInAsync(cluster.Nodes[0].Printed)) await editor.TriggerAsync("weekly-digest");
        await cluster.AllSendAsync();
        var open = 0;
        for (var kill = 1; kill <= Kills; kill++)
        {
            await cluster.AcceptedAsync((Subscribers * (kill - 1) / Kills) + random.Next(Subscribers / Kills / 2));
            var victim = cluster.Nodes[random.Next(cluster.Nodes.Count)];
            open += victim.Relay.OpenConnections;
            victim.Kill();
            await victim.Relay.WaitForAsync(relay => relay.OpenConnections == 0, Limit, "no connection outlives the process");
            if (kill < Kills) await victim.StartAsync();
        }
        await cluster.SentAsync("week-1");
        return open;
    }
}
