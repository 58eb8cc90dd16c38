using System.Net;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Issues;
using WeeklyDigest.Merging;
using WeeklyDigest.Publishing;
using WeeklyDigest.Rendering;
using WeeklyDigest.Server;
using WeeklyDigest.Server.Desk;
using WeeklyDigest.Server.Inbox;
using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Tests.Web;

/// <summary>The web server of an installation in a temporary folder, on a free port, with an inbox that receives what it sends.</summary>
internal sealed partial class TestSite : IAsyncDisposable
{
    private readonly TemporaryFolder folder;
    private readonly InboxServer receiver;

    private TestSite(TemporaryFolder folder, InboxServer receiver, Installation installation, WebApplication app)
        => (this.folder, this.receiver, Installation, App) = (folder, receiver, installation, app);

    public Installation Installation { get; }

    public WebApplication App { get; }

    public InboxStore Inbox => new(Installation.Settings.Paths.Inbox);

    public int InboxPort => receiver.Port;

    public Uri Address => new(App.Urls.First());

    /// <summary>Everything that was logged, for those who look for what must not be in it.</summary>
    public List<string> Log { get; private init; } = [];

    public bool HasLogged(Predicate<string> line)
    {
        lock (Log) return Log.Exists(line);
    }

    public static async Task<TestSite> StartAsync(Action<TemporaryFolder>? prepare = null, params (string Key, string Value)[] settings)
    {
        var folder = new TemporaryFolder();
        folder.Write("issues/.keep", "");
        folder.Write("subscribers/.keep", "");
        folder.Write("templates/.keep", "");
        CopyFolder(Path.Combine(Workspace.RepositoryRoot, "templates"), folder.File("templates"));
        prepare?.Invoke(folder);
        var receiver = InboxServer.Start(folder.File("data/inbox"), 0, TimeProvider.System);
        var options = Options(folder, receiver, settings);
        var log = new List<string>();
        var logs = LoggerFactory.Create(builder => builder.SetMinimumLevel(LogLevel.Trace).AddProvider(new ListLog(log)));
        var loaded = SettingsLoader.Load(new InstallationFolder(folder.Path, folder.File("appsettings.json"), Workspace.RepositoryRoot), new Dictionary<string, string>(), options);
        var installation = await Installation.OpenAsync(loaded, TimeProvider.System, logs, CancellationToken.None);
        var app = WebServer.Build(installation, ["http://127.0.0.1:0"]);
        // Nobody ends the tests' process, and what hangs behind a database would go on beside other tests.
        app.Services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout = TimeSpan.FromMinutes(1);
        await app.StartAsync();
        return new TestSite(folder, receiver, installation, app) { Log = log };
    }

    /// <summary>A small issue.</summary>
    public static string Issue(string title, string frontMatter = "") => $"---\ntitle: {title}\n{frontMatter}---\n\nHello {{{{ name | there }}}}.\n\n### An entry\n\nhttps://example.com/\n\nText.\n";

    /// <summary>A list of so many subscribers.</summary>
    public static string List(int count) => "email,name\n" + string.Concat(Enumerable.Range(1, count).Select(i => $"reader{i}@example.com,Reader {i}\n"));

    /// <summary>A browser without JavaScript: keeps cookies, follows no redirect.</summary>
    public HttpClient Client() => new(new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() }) { BaseAddress = Address };

    /// <summary>A browser that has signed in by a link.</summary>
    public async Task<HttpClient> EditorAsync()
    {
        var client = Client();
        var page = await client.GetStringAsync(new Uri(await SignInLinkAsync(), UriKind.Absolute));
        using var form = FormOf(page);
        using var answer = await client.PostAsync(new Uri("/sign-in/link", UriKind.Relative), form);
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        return client;
    }

    public Task<string> SignInLinkAsync() => App.Services.GetRequiredService<SignIn>().NewLinkAsync(CancellationToken.None);

    /// <summary>The hidden fields of a page's forms, each name once, with further ones.</summary>
    public static FormUrlEncodedContent FormOf(string page, params (string Name, string Value)[] more) => new(
        HiddenField().Matches(page)
            .Select(match => KeyValuePair.Create(match.Groups[1].Value, WebUtility.HtmlDecode(match.Groups[2].Value)))
            .DistinctBy(field => field.Key)
            .Concat(more.Select(field => KeyValuePair.Create(field.Name, field.Value))));

    /// <summary>Puts a published mailing into the database, with one delivery per address.</summary>
    public Task<long> PublishedAsync(string slug, string permalink, string webHtml, params string[] addresses) => PublishedAsync(slug, permalink, webHtml, null, addresses);

    /// <summary>As above, to start at a time.</summary>
    public async Task<long> PublishedAsync(string slug, string permalink, string webHtml, DateTimeOffset? at, params string[] addresses)
    {
        var database = Installation.Database;
        Assert.True(ListName.TryParse("readers", out var list));
        Assert.True(IssueSlug.TryParse(slug, out var issue));
        await database.Subscribers.ImportAsync(list, addresses.Select(Row), CancellationToken.None);
        var email = new RenderedEmail(MergeTemplate.Of("Subject"), MergeTemplate.Of("<p>Hello</p>"), MergeTemplate.Of("Hello"), "hash-of-" + slug);
        var content = new FrozenContent(Installation.Newsletter, "Title of <" + slug + ">", permalink, email, webHtml, TimeProvider.System.GetUtcNow());
        return (await database.Mailings.PublishAsync(new PublishRequest(issue, [list], content, at, TimeProvider.System.GetUtcNow()), CancellationToken.None)).MailingId;
    }

    /// <summary>The unsubscribe token of an address in a mailing.</summary>
    public async Task<string> TokenAsync(long mailing, string address)
    {
        var subscriber = await Installation.Database.Subscribers.FindAsync(Parsed(address), CancellationToken.None);
        return Installation.LinkTokens.UnsubscribeToken(new DeliveryId(mailing, subscriber!.Id));
    }

    public async Task<SubscriberStatus?> StatusAsync(string address)
        => (await Installation.Database.Subscribers.FindAsync(Parsed(address), CancellationToken.None))?.Status;

    /// <summary>As if a relay had said that there is no such user.</summary>
    public async Task BounceAsync(string address)
    {
        await using var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={folder.File("data/weeklydigest.db")};Pooling=False");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "UPDATE subscriber SET status = 'bounced' WHERE address = $address";
        command.Parameters.AddWithValue("$address", address);
        Assert.Equal(1, await command.ExecuteNonQueryAsync());
    }

    /// <summary>Writes a file of the installation while it runs.</summary>
    public void Write(string name, string text) => folder.Write(name, text);

    /// <summary>Leaves a template that even root cannot read.</summary>
    public void SpoilTemplate()
    {
        File.Delete(folder.File("templates/styles.css"));
        Directory.CreateDirectory(folder.File("templates/styles.css"));
    }

    public async ValueTask DisposeAsync()
    {
        await App.StopAsync();
        await App.DisposeAsync();
        await Installation.DisposeAsync();
        await receiver.DisposeAsync();
        folder.Dispose();
    }

    private static Dictionary<string, string?> Options(TemporaryFolder folder, InboxServer receiver, (string Key, string Value)[] settings)
    {
        var options = new Dictionary<string, string?>
        {
            ["Newsletter:Name"] = "Weekly Digest",
            ["Newsletter:From"] = "Weekly Digest <digest@example.com>",
            ["Newsletter:PostalAddress"] = "1 Example Street",
            ["Newsletter:Editor"] = "Editor <editor@example.com>",
            ["Newsletter:BaseUrl"] = "http://127.0.0.1:5080",
            ["Smtp:Relays:0:Host"] = "127.0.0.1",
            ["Smtp:Relays:0:Port"] = receiver.Port.ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["Smtp:Relays:0:Security"] = "none",
            ["Paths:Data"] = folder.File("data"),
            ["Paths:TemplateCache"] = Workspace.TemplateCache,
        };
        foreach (var (key, value) in settings) options[key] = value;
        return options;
    }

    private static SubscriberRow Row(string address, int index) => new(index + 2, Parsed(address), null, new Dictionary<string, string>());

    private static EmailAddress Parsed(string address)
    {
        Assert.True(EmailAddress.TryParse(address, out var parsed));
        return parsed;
    }

    private static void CopyFolder(string from, string to)
    {
        if (!Directory.Exists(from)) return;
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    [GeneratedRegex("""<input type="hidden" name="([^"]+)" value="([^"]*)">""")]
    private static partial Regex HiddenField();

    private sealed class ListLog(List<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (lines) lines.Add(formatter(state, exception) + exception);
        }

        public void Dispose()
        {
        }
    }
}
