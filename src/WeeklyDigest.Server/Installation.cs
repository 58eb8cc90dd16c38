using System.Security.Cryptography;
using WeeklyDigest.Feedback;
using WeeklyDigest.Publishing;
using WeeklyDigest.Rendering;
using WeeklyDigest.Server.Inbox;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Server.Settings;
using WeeklyDigest.Smtp;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Server;

/// <summary>
/// An installation at work: its settings, its database, and every step of the pipeline put together. One per process. What sends is put
/// together when it is first asked for: without a relay that starts the built-in inbox.
/// </summary>
internal sealed class Installation : IAsyncDisposable
{
    private readonly Lazy<ProcessOwner> owner;
    private readonly Lazy<InboxServer> inbox;
    private readonly Lazy<SessionPool> sessions;
    private readonly Lazy<DeliveryEngine> engine;
    private readonly Lazy<PreviewIssue> preview;

    private Installation(ServerSettings settings, TimeProvider time, ILoggerFactory logs, Database database, byte[] linkKey)
    {
        (Settings, Time, Logs, Database) = (settings, time, logs, database);
        LinkTokens = new LinkTokens(linkKey);
        Issues = new IssueLibrary(settings.Paths.Issues);
        Renderer = CompilerProcess.Renderer(settings.Paths);
        SyncLists = new SyncLists(database.Subscribers, settings.Paths.Subscribers, time);
        PublishIssue = new PublishIssue(database.Mailings, database.Subscribers, SyncLists, Renderer, settings.Newsletter, time);
        RescheduleIssue = new RescheduleIssue(database.Mailings, Renderer, settings.Newsletter, time);
        FileChanges = new FileChanges(database.Mailings, Renderer, settings.Newsletter, time);
        DecideDeliveries = new DecideDeliveries(database.Mailings, database.Ledger, time);
        Unsubscribe = new Unsubscribe(LinkTokens, database.Subscribers, database.Mailings.NoteUnsubscribedAsync, time);
        owner = new(() => ProcessOwner.Take(settings.Paths.Data));
        inbox = new(() => InboxServer.Start(settings.Paths.Inbox, settings.Inbox.Port, time));
        sessions = new(() => new SessionPool(settings.Relays.Count > 0 ? settings.Relays : [RelayTo(inbox.Value)], database.Relays, time, Warn));
        engine = new(() => new DeliveryEngine(database.Mailings, database.Ledger, database.Relays, sessions.Value, LinkTokens, settings.Dkim, settings.Delivery, owner.Value, time, NewRandom(), database.IsShared, Warn));
        preview = new(() => new PreviewIssue(Renderer, database.Subscribers, settings.Newsletter, LinkTokens, settings.Dkim, sessions.Value, time));
    }

    /// <summary>The settings, checked.</summary>
    public ServerSettings Settings { get; }

    /// <summary>Who publishes.</summary>
    public Newsletter Newsletter => Settings.Newsletter;

    /// <summary>The clock; its local time is the newsletter's.</summary>
    public TimeProvider Time { get; }

    /// <summary>Where everything logs.</summary>
    public ILoggerFactory Logs { get; }

    /// <summary>The database, open and migrated.</summary>
    public Database Database { get; }

    /// <summary>Signs what stands in links.</summary>
    public LinkTokens LinkTokens { get; }

    /// <summary>The issues folder.</summary>
    public IssueLibrary Issues { get; }

    /// <summary>Renders issues with the templates folder.</summary>
    public IssueRenderer Renderer { get; }

    /// <summary>Publishes an issue.</summary>
    public PublishIssue PublishIssue { get; }

    /// <summary>Gives a mailing another time before it begins.</summary>
    public RescheduleIssue RescheduleIssue { get; }

    /// <summary>Tells what became of issues since they were published.</summary>
    public FileChanges FileChanges { get; }

    /// <summary>Carries out what the editor decides about deliveries.</summary>
    public DecideDeliveries DecideDeliveries { get; }

    /// <summary>What an unsubscribe link, or a mail in its place, does.</summary>
    public Unsubscribe Unsubscribe { get; }

    /// <summary>Brings the subscribers folder into the database.</summary>
    public SyncLists SyncLists { get; }

    /// <summary>Which relays are set aside.</summary>
    public RelaysAside RelaysAside => new(Database.Relays, Settings.Relays);

    /// <summary>Delivers mailings.</summary>
    /// <exception cref="RefusedException">The built-in inbox is to receive and cannot be started.</exception>
    public DeliveryEngine DeliveryEngine => engine.Value;

    /// <summary>Sends previews to the editor.</summary>
    /// <exception cref="RefusedException">The built-in inbox is to receive and cannot be started.</exception>
    public PreviewIssue PreviewIssue => preview.Value;

    /// <summary>A new key for links, 32 random bytes.</summary>
    public static byte[] NewLinkKey() => RandomNumberGenerator.GetBytes(32);

    /// <summary>The installation's key for links, made on first use.</summary>
    public static Task<byte[]> LinkKeyAsync(Database database, CancellationToken cancel) => database.Mailings.SecretAsync("links", NewLinkKey, cancel);

    /// <summary>Opens the database and puts the parts together.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="logs">Where to log; stays the caller's.</param>
    /// <param name="cancel">Stops.</param>
    /// <exception cref="StorageException">The database cannot be used; says what to do.</exception>
    /// <exception cref="RefusedException">It is gone while another process works with it, or where a server has run.</exception>
    public static async Task<Installation> OpenAsync(ServerSettings settings, TimeProvider clock, ILoggerFactory logs, CancellationToken cancel)
    {
        var time = new ZonedTime(clock, settings.Schedule.TimeZone);
        RefuseSecond(settings);
        var database = OpenDatabase(settings, time);
        try
        {
            var key = await LinkKeyAsync(database, cancel);
            return new Installation(settings, time, logs, database, key);
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <summary>Opens the database alone.</summary>
    /// <exception cref="StorageException">It cannot be used, or its ledger is gone from the server where the jobs still are; says what to do.</exception>
    /// <exception cref="RefusedException">Its file is gone where a server has run.</exception>
    public static Database OpenDatabase(ServerSettings settings, TimeProvider time)
        => LostLedger.Find(settings.Storage, settings.Paths.Jobs) is { } lost ? throw new RefusedException(lost) : Database.Open(settings.Storage, time, PostgresJobs.Tables);

    /// <summary>Refuses to send from a ledger that has lost something, or where the relays are lost.</summary>
    /// <exception cref="StorageException">The ledger is not whole, or cannot be read.</exception>
    /// <exception cref="RefusedException">No relay is set, and some were.</exception>
    public Task RequireSendableAsync(CancellationToken cancel)
    {
        Database.RequireWhole();
        return LostRelays.RequireAsync(Database.Mailings, Settings, cancel);
    }

    // One that is made now would know nothing of what the other process has sent. Asked twice: whoever works with the folder has made the database before.
    private static void RefuseSecond(ServerSettings settings)
    {
        if (Database.Exists(settings.Storage) || ProcessOwner.Living(settings.Paths.Data) is not { Count: > 0 } living || Database.Exists(settings.Storage)) return;
        throw new RefusedException(
            $"The database is gone from its place, and a server or a send works with this installation (machine/process/mark: {string.Join(", ", living)}): it was moved or deleted under it. Stop that process, put the database back with its -wal and -shm where these were moved too, and start again. Nothing is sent until then.");
    }

    /// <summary>Drains and closes, from the engine down to the database.</summary>
    public async ValueTask DisposeAsync()
    {
        if (engine.IsValueCreated) await engine.Value.DisposeAsync();
        if (sessions.IsValueCreated) await sessions.Value.DisposeAsync();
        if (inbox.IsValueCreated) await inbox.Value.DisposeAsync();
        if (owner.IsValueCreated) owner.Value.Dispose();
        Database.Dispose();
    }

    private void Warn(string words) => Logs.CreateLogger<DeliveryEngine>().LogWarning("{Words}", words);

    private static RelayOptions RelayTo(InboxServer inbox)
        => new() { Name = "built-in inbox", Host = "127.0.0.1", Port = inbox.Port, Security = RelaySecurity.None };

    // Spreads retries; nothing secret hangs on it.
    private static Random NewRandom() => new(RandomNumberGenerator.GetInt32(int.MaxValue));
}
