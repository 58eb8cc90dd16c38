using System.Collections.Concurrent;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>
/// Servers that share a database, each with a data folder and a relay of its own, so that the relays know who sent what. The first has issues and
/// lists and runs the jobs; the others only help. No relay answers its twenty-first message before each has got one.
/// </summary>
internal sealed class Cluster : IAsyncDisposable
{
    public const int Connections = 4;

    /// <summary>So long a node that is not heard of keeps what it holds.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(10);

    private const int Ahead = 20;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);
    private readonly TaskCompletionSource all = new();
    private readonly ConcurrentDictionary<int, bool> sending = new();
    private readonly List<Node> nodes = [];

    private Cluster() { }

    public IReadOnlyList<Node> Nodes => nodes;

    public ScriptedSmtpServer[] Relays => [.. nodes.Select(node => node.Relay)];

    public int Accepted => nodes.Sum(node => node.Relay.AcceptedCount);

    /// <summary>Messages beyond one for each recipient.</summary>
    public int Copies => Accepted - Relays.SelectMany(relay => relay.Accepted).Select(message => message.Recipient).Distinct().Count();

    /// <summary>Where the issue is, and whose commands tell what became of it.</summary>
    public Workspace First => nodes[0].Workspace;

    /// <summary>Waits until the ledger says that an issue is sent.</summary>
    public async Task SentAsync(string issue)
    {
        var started = TimeProvider.System.GetTimestamp();
        while ((await First.JsonHereAsync("status", issue, "--json")).GetProperty("state").GetString() != "sent")
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Limit, "not sent in time");
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }
    }

    /// <summary>Starts so many servers.</summary>
    public static Task<Cluster> StartAsync(int count, int subscribers, string onUncertain)
    {
        var first = new Workspace().On("postgres");
        return StartAsync(first, () => new Workspace().Shares(first), count, subscribers, onUncertain);
    }

    /// <summary>Starts so many servers on a database of their own.</summary>
    public static Task<Cluster> StartAsync(string database, int count, int subscribers, string onUncertain)
        => StartAsync(new Workspace().OnDatabase(database), () => new Workspace().OnDatabase(database), count, subscribers, onUncertain);

    private static async Task<Cluster> StartAsync(Workspace first, Func<Workspace> other, int count, int subscribers, string onUncertain)
    {
        var cluster = new Cluster();
        first.WithWeek1().WithSubscribers(subscribers);
        for (var i = 0; i < count; i++) cluster.Add(i == 0 ? first : other().Set("Jobs:Workers", 0), onUncertain);
        // The first makes the tables.
        await cluster.nodes[0].StartAsync();
        await Task.WhenAll(cluster.nodes.Skip(1).Select(node => node.StartAsync()));
        return cluster;
    }

    /// <summary>Waits until so many messages were accepted by all relays together.</summary>
    public Task AcceptedAsync(int count) => Eventually.HoldsAsync(() => Accepted >= count, $"{count} accepted messages", Limit);

    /// <summary>Waits until every server has sent something.</summary>
    public Task AllSendAsync() => all.Task.WaitAsync(Limit);

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes) await node.Relay.DisposeAsync();
        // The first owns the database.
        foreach (var node in nodes.AsEnumerable().Reverse()) node.Workspace.Dispose();
    }

    private void Add(Workspace workspace, string onUncertain)
    {
        var number = nodes.Count;
        var relay = ScriptedSmtpServer.Start(moment => moment.Stage == SmtpStage.Message ? SmtpMove.Hold(PatienceAsync(number), SmtpMove.Accept) : SmtpMove.Accept);
        nodes.Add(new Node(workspace.UseRelay(relay.Port, Connections).Set("Newsletter:BaseUrl", "https://digest.example.com").Set("Urls", "http://127.0.0.1:0")
            .Set("Delivery:Lease", Lease).Set("Delivery:OnUncertain", onUncertain), relay));
    }

    // A few milliseconds at the dot, so that a kill finds messages that were handed over and not answered.
    private Task PatienceAsync(int number)
    {
        sending[number] = true;
        if (sending.Count == nodes.Count) all.TrySetResult();
        return nodes[number].Relay.AcceptedCount < Ahead || all.Task.IsCompleted ? Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System) : all.Task;
    }
}

/// <summary>One server of a cluster.</summary>
/// <param name="workspace">Its installation.</param>
/// <param name="relay">Its relay.</param>
internal sealed class Node(Workspace workspace, ScriptedSmtpServer relay)
{
    private RunningProgram? serve;

    public Workspace Workspace => workspace;

    public ScriptedSmtpServer Relay => relay;

    /// <summary>What the server printed when it began to listen.</summary>
    public string Printed { get; private set; } = "";

    /// <summary>Starts it and waits until it listens.</summary>
    public async Task StartAsync()
    {
        serve = workspace.Start("serve");
        Printed = await serve.PrintedAsync("/sign-in?token=");
    }

    /// <summary>kill -9.</summary>
    public void Kill() => serve!.Kill();
}
