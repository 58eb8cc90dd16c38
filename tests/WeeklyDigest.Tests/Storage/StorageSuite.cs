using Microsoft.Extensions.Time.Testing;
using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Issues;
using WeeklyDigest.Merging;
using WeeklyDigest.Publishing;
using WeeklyDigest.Rendering;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Tests.Storage;

/// <summary>A place where a test's database lives; gone with it.</summary>
public interface IDatabasePlace : IDisposable
{
    /// <summary>The settings that lead there.</summary>
    StorageOptions Options { get; }

    /// <summary>Changes the database from outside, by a statement that both kinds understand.</summary>
    void Execute(string sql);
}

/// <summary>What every test of the storage has: a new database in its own place. One suite serves every kind of database.</summary>
public abstract class StorageSuite<TPlace> : IDisposable where TPlace : IDatabasePlace, new()
{
    private protected TPlace Place { get; } = new();

    protected StorageSuite() => Database = Open();

    private protected Database Database { get; }

    private protected ISubscriberStore Subscribers => Database.Subscribers;

    private protected IMailingStore Mailings => Database.Mailings;

    private protected ILedger Ledger => Database.Ledger;

    private protected FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2025, 3, 3, 8, 0, 0, TimeSpan.Zero));

    private protected DateTimeOffset Now => Clock.GetUtcNow();

    private protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public virtual void Dispose()
    {
        Database.Dispose();
        Place.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>The same database once more, as another process has it.</summary>
    private protected Database Open() => Database.Open(Place.Options, Clock);

    private protected static EmailAddress Address(string text)
        => EmailAddress.TryParse(text, out var address) ? address : throw new ArgumentException($"'{text}' is no address", nameof(text));

    private protected static ListName List(string text)
        => ListName.TryParse(text, out var list) ? list : throw new ArgumentException($"'{text}' is no list", nameof(text));

    private protected static IssueSlug Slug(string text)
        => IssueSlug.TryParse(text, out var slug) ? slug : throw new ArgumentException($"'{text}' is no slug", nameof(text));

    private protected static SubscriberRow Row(string address, string? name = null, params (string Key, string Value)[] attributes)
        => new(1, Address(address), name, attributes.ToDictionary(pair => pair.Key, pair => pair.Value));

    private protected Task<ImportCounts> Import(string list, params IEnumerable<string> addresses)
        => Subscribers.ImportAsync(List(list), addresses.Select(address => Row(address)), Cancel);

    private protected static FrozenContent Content(string hash = "h1", string permalink = "/posts/week-1")
    {
        var editor = new Mailbox("Édith, the editor", Address("edith@bücher.example"));
        var newsletter = new Newsletter("Weekly", editor, null, new Uri("https://news.example.org"), "1 Street\nTown", "en", editor);
        var html = new MergeTemplate([
            new MergePart("<p>Hello \"", null, MergeEncoding.Plain),
            new MergePart(null, new MergeSlot(MergeField.Attribute, "city", "your city"), MergeEncoding.Html),
            new MergePart("\" 日本 \U0001F600</p>", null, MergeEncoding.Plain),
        ]);
        var email = new RenderedEmail(MergeTemplate.Of("Subject"), html, MergeTemplate.Of("Text"), hash);
        return new FrozenContent(newsletter, "Title", permalink, email, "<html></html>", new DateTimeOffset(2025, 3, 3, 8, 0, 0, TimeSpan.FromHours(1)), IssueHash: "file of " + hash);
    }

    private protected Task<PublishResult> Publish(string issue = "week-1", params IEnumerable<string> lists)
        => Mailings.PublishAsync(new PublishRequest(Slug(issue), [.. lists.DefaultIfEmpty("readers").Select(List)], Content(), null, Now), Cancel);

    private protected async Task<long> Published(int subscribers)
    {
        await Import("readers", Enumerable.Range(1, subscribers).Select(i => $"reader{i}@example.org"));
        return (await Publish()).MailingId;
    }

    private protected Claimant Claimant(string owner = "one") => new(owner, Now, Now.AddMinutes(1));

    private protected async Task<IReadOnlyList<Delivery>> Claim(long mailing, int count = 100, string owner = "one")
        => (await Ledger.ClaimAsync(new ClaimRequest(mailing, count, Claimant(owner)), Cancel)).Deliveries;

    private protected async Task<LedgerWriteResult> Write(
        Delivery delivery, DeliveryState from, DeliveryState to, bool counted = false, string? reply = null, DateTimeOffset? next = null)
        => (await Ledger.WriteAsync([new LedgerWrite(delivery.Id, delivery.Stamp, from, to, counted, reply, next, Now)], Cancel)).Single();

    private protected async Task<DeliveryReport> Report(DeliveryId id)
        => await Mailings.DeliveriesAsync(id.MailingId, null, Cancel).SingleAsync(report => report.SubscriberId == id.SubscriberId, Cancel);

    private protected async Task<Balance> Balance(long mailing)
    {
        var balance = await Mailings.BalanceAsync(mailing, Cancel);
        Assert.True(balance.AddsUp, balance.ToString());
        return balance;
    }
}
