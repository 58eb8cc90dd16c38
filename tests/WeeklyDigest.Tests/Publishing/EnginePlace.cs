using System.Collections.Concurrent;
using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Feedback;
using WeeklyDigest.Issues;
using WeeklyDigest.Merging;
using WeeklyDigest.Publishing;
using WeeklyDigest.Rendering;
using WeeklyDigest.Smtp;
using WeeklyDigest.Storage;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>A data folder with a real database, a scripted relay, and as many engines as a test wants: each one stands for a process.</summary>
internal sealed class EnginePlace : IAsyncDisposable
{
    public static readonly LinkTokens Tokens = new(new byte[32]);

    private readonly string folder = Directory.CreateTempSubdirectory("weeklydigest-engine-").FullName;
    private readonly List<EngineProcess> processes = [];

    private EnginePlace(ScriptedSmtpServer server, DeliveryOptions options, TimeProvider time)
    {
        (Server, Options, Time) = (server, options, time);
        Database = OpenDatabase();
    }

    public ScriptedSmtpServer Server { get; private set; }

    public DeliveryOptions Options { get; }

    public TimeProvider Time { get; }

    /// <summary>The database as the test itself sees it.</summary>
    public Database Database { get; }

    /// <summary>What the processes that are started from now on have instead of the ledger.</summary>
    public Func<ILedger, ILedger> Around { get; set; } = ledger => ledger;

    /// <summary>What they have instead of the mailings.</summary>
    public Func<IMailingStore, IMailingStore> AroundMailings { get; set; } = mailings => mailings;

    /// <summary>How they come to their names.</summary>
    public Func<string, ProcessOwner> TakeOwner { get; set; } = ProcessOwner.Take;

    /// <summary>Whether they are told that other machines may send as well.</summary>
    public bool IsShared { get; set; }

    public string DataFolder => Path.Combine(folder, "data");

    public static EnginePlace Open(Func<SmtpMoment, SmtpMove>? script = null, DeliveryOptions? options = null, TimeProvider? time = null)
        => Open(new ScriptedSmtpOptions { Script = script }, options, time);

    public static EnginePlace Open(ScriptedSmtpOptions server, DeliveryOptions? options = null, TimeProvider? time = null)
        => new(ScriptedSmtpServer.Start(server), options ?? new DeliveryOptions(), time ?? TimeProvider.System);

    public static EmailAddress Address(string text) => EmailAddress.TryParse(text, out var address) ? address : throw new ArgumentException(text);

    public static ListName List(string text) => ListName.TryParse(text, out var list) ? list : throw new ArgumentException(text);

    public Database OpenDatabase() => Database.Open(new StorageOptions { ConnectionString = Path.Combine(DataFolder, "weeklydigest.db") }, Time);

    /// <summary>Another process on the same database.</summary>
    public EngineProcess Start(Func<RelayOptions, RelayOptions>? relay = null)
    {
        var options = Relay("test", Server);
        return StartOver(relay is null ? options : relay(options));
    }

    /// <summary>Another process on the same database, over these relays.</summary>
    public EngineProcess StartOver(params RelayOptions[] relays) => Add(new EngineProcess(this, relays));

    /// <summary>Another process on a disk that takes this long for each commit.</summary>
    public EngineProcess StartOnSlowDisk(TimeSpan commit, params RelayOptions[] relays) => Add(new EngineProcess(this, relays, commit));

    /// <summary>The settings that lead to a server.</summary>
    public static RelayOptions Relay(string name, ScriptedSmtpServer server)
        => new() { Name = name, Host = "127.0.0.1", Port = server.Port, Security = RelaySecurity.None, Connections = 4, StalledConnections = 0 };

    /// <summary>Imports r1@example.org, r2@… and publishes an issue to them.</summary>
    /// <returns>The mailing.</returns>
    public async Task<long> PublishAsync(int recipients, string slug = "week-1", Func<int, string>? address = null, string list = "readers")
    {
        var rows = Enumerable.Range(1, recipients).Select(i => new SubscriberRow(i, Address(address?.Invoke(i) ?? $"r{i}@example.org"), "Reader " + i, new Dictionary<string, string>()));
        await Database.Subscribers.ImportAsync(List(list), rows, TestContext.Current.CancellationToken);
        Assert.True(IssueSlug.TryParse(slug, out var issue));
        var now = Time.GetUtcNow();
        var published = await Database.Mailings.PublishAsync(new PublishRequest(issue, [List(list)], Content(slug, now), null, now), TestContext.Current.CancellationToken);
        return published.MailingId;
    }

    public Task<Balance> BalanceAsync(long mailing) => Database.Mailings.BalanceAsync(mailing, TestContext.Current.CancellationToken);

    public async Task<List<DeliveryReport>> DeliveriesAsync(long mailing)
    {
        var all = new List<DeliveryReport>();
        await foreach (var report in Database.Mailings.DeliveriesAsync(mailing, null, TestContext.Current.CancellationToken)) all.Add(report);
        return all;
    }

    /// <summary>Both sides agree: what the ledger calls sent the relay has accepted, each once, and the balance adds up.</summary>
    public async Task<Balance> ReconcileAsync(long mailing)
    {
        var sent = (await DeliveriesAsync(mailing)).Where(report => report.State == DeliveryState.Sent).Select(report => report.Address).Order();
        Assert.Equal(sent, Server.Accepted.Select(message => message.Recipient).Order());
        var balance = await BalanceAsync(mailing);
        Assert.True(balance.AddsUp, balance.ToString());
        return balance;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in processes) await process.DisposeAsync();
        Database.Dispose();
        await Server.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private EngineProcess Add(EngineProcess process)
    {
        processes.Add(process);
        return process;
    }

    private static FrozenContent Content(string slug, DateTimeOffset now)
    {
        var from = new Mailbox("The Weekly", Address("news@weekly.example"));
        var html = new MergeTemplate([
            new MergePart("<p>Hello ", null, MergeEncoding.Plain),
            new MergePart(null, new MergeSlot(MergeField.Name, null, "there"), MergeEncoding.Html),
            new MergePart("</p>", null, MergeEncoding.Plain),
        ]);
        var email = new RenderedEmail(MergeTemplate.Of("Issue " + slug), html, MergeTemplate.Of("Hello"), new string('a', 64));
        var newsletter = new Newsletter("Weekly", from, null, new Uri("https://weekly.example"), "1 Street", "en", from);
        return new FrozenContent(newsletter, slug, "/posts/" + slug, email, "<html></html>", now);
    }
}

/// <summary>What one process has: its own connection to the database, its own connections to the relay, its engine.</summary>
internal sealed class EngineProcess : IAsyncDisposable
{
    private readonly Database database;
    private bool isDisposed;

    public EngineProcess(EnginePlace place, IReadOnlyList<RelayOptions> relays, TimeSpan commit = default)
    {
        database = place.OpenDatabase();
        var ledger = commit == default ? place.Around(database.Ledger) : SlowLedger.Over(database.Ledger, commit);
        Owner = place.TakeOwner(place.DataFolder);
        Sessions = new SessionPool(relays, database.Relays, place.Time, Warnings.Enqueue);
        Engine = new DeliveryEngine(place.AroundMailings(database.Mailings), ledger, database.Relays, Sessions, EnginePlace.Tokens, null, place.Options, Owner, place.Time, new Random(1), place.IsShared, Warnings.Enqueue);
    }

    /// <summary>What the log would have.</summary>
    public ConcurrentQueue<string> Warnings { get; } = new();

    public ProcessOwner Owner { get; }

    public SessionPool Sessions { get; }

    public DeliveryEngine Engine { get; }

    /// <summary>A run to its end, within half a minute.</summary>
    public Task<DeliveryRunResult> RunAsync(long mailing)
        => RunUntilAsync(mailing, TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

    /// <summary>A run until it ends or the caller gives up.</summary>
    public Task<DeliveryRunResult> RunUntilAsync(long mailing, CancellationToken giveUp) => Engine.RunAsync(mailing, null, giveUp);

    public async ValueTask DisposeAsync()
    {
        if (isDisposed) return;
        isDisposed = true;
        await Engine.DisposeAsync();
        await Sessions.DisposeAsync();
        Owner.Dispose();
        database.Dispose();
    }
}
