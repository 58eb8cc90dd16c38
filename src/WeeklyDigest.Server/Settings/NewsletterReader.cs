using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using WeeklyDigest.Audience;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Server.Settings;

/// <summary>Reads the section Newsletter.</summary>
internal static partial class NewsletterReader
{
    private static readonly Uri NoBaseUrl = new(SettingsLoader.DefaultUrl);

    /// <summary>The newsletter's identity and schedule.</summary>
    /// <param name="section">The section.</param>
    /// <param name="urls">What the web server listens on: the base of links when nothing else is said.</param>
    public static (Newsletter Newsletter, ScheduleSettings Schedule) Read(SettingsSection section, IReadOnlyList<string> urls)
    {
        var name = section.Text("Name", "Weekly Digest");
        if (name.Length is 0 or > 100 || name.Any(char.IsControl))
            section.Problem("Name", "has to be 1 to 100 characters in one line; write the newsletter's name.");
        var newsletter = new Newsletter(
            name,
            From(section, name),
            OptionalMailbox(section, "ReplyTo"),
            BaseUrl(section, urls),
            PostalAddress(section),
            Language(section),
            OptionalMailbox(section, "Editor"));
        var schedule = Schedule(section.Section("Schedule"));
        section.Finish();
        return (newsletter, schedule);
    }

    /// <summary>Notes a problem when messages would go out to the world with links to this machine.</summary>
    public static void CheckReachable(SettingsSection section, Newsletter newsletter, IReadOnlyList<RelayOptions> relays)
    {
        if (newsletter.BaseUrl.IsLoopback && relays.Any(relay => Uri.CheckHostName(relay.Host) != UriHostNameType.Unknown && !IsLoopback(relay.Host)))
            section.Problem("BaseUrl", $"is {newsletter.BaseUrl.AbsoluteUri.TrimEnd('/')}, which no subscriber can reach to unsubscribe, but Smtp:Relays sends to other machines; write the public address of this server.");
    }

    /// <summary>The address under which this machine reaches what listens on an address.</summary>
    public static Uri BaseOf(string url)
    {
        var address = BindingAddress.Parse(url);
        var host = address.Host is "*" or "+" or "0.0.0.0" or "[::]" ? "127.0.0.1" : address.Host;
        return new Uri($"{address.Scheme}://{host}:{address.Port}");
    }

    /// <summary>Whether a host name or address means this machine.</summary>
    public static bool IsLoopback(string host)
        => host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));

    private static Mailbox From(SettingsSection section, string newsletterName)
    {
        var text = section.Text("From", "digest@example.com");
        var fromName = section.Text("FromName");
        if (fromName.Any(char.IsControl)) section.Problem("FromName", "holds a control character; write the name in one line.");
        var from = MailboxText.Parse(text);
        if (from is null) section.Problem("From", "is not an e-mail address; write one such as Weekly Digest <digest@example.com>.");
        return new Mailbox(fromName.Length > 0 ? fromName : from?.Name ?? newsletterName, (from ?? MailboxText.Parse("digest@example.com")!).Address);
    }

    private static Mailbox? OptionalMailbox(SettingsSection section, string key)
    {
        var text = section.Text(key);
        var mailbox = text.Length == 0 ? null : MailboxText.Parse(text);
        if (mailbox is null && text.Length > 0) section.Problem(key, "is not an e-mail address; write one such as Ada Editor <ada@example.com>, or nothing.");
        return mailbox;
    }

    private static string PostalAddress(SettingsSection section)
    {
        var text = section.Text("PostalAddress");
        if (text.Length == 0)
            section.Problem("PostalAddress", "is missing; write a postal address, which the law asks of newsletters in many countries (\\n starts a new line).");
        return text.ReplaceLineEndings("\n");
    }

    private static Uri BaseUrl(SettingsSection section, IReadOnlyList<string> urls)
    {
        var text = section.Text("BaseUrl");
        if (text.Length == 0) return FromUrls(section, urls);
        var valid = Uri.TryCreate(text, UriKind.Absolute, out var url)
            && url.Scheme is "http" or "https"
            && url is { Query: "", Fragment: "", UserInfo: "", Host.Length: > 0 };
        if (valid && WithPlainHost(url!) is { } plain) return new Uri(plain.AbsoluteUri.TrimEnd('/'));
        section.Problem("BaseUrl", "is not the address of a web site; write one such as https://digest.example.com, without user, query or fragment.");
        return NoBaseUrl;
    }

    // An international host name in A-labels (RFC 5890): so browsers send it in Host and Origin, and every program can follow a link to it. Null when it has none.
    private static Uri? WithPlainHost(Uri url)
    {
        try
        {
            var plain = url.HostNameType == UriHostNameType.Dns ? new UriBuilder(url) { Host = url.IdnHost }.Uri : url;
            return Ascii.IsValid(plain.Host) ? plain : null;
        }
        catch (UriFormatException)
        {
            return null;
        }
    }

    private static Uri FromUrls(SettingsSection section, IReadOnlyList<string> urls)
    {
        if (BindingAddress.Parse(urls[0]).Port == 0)
            section.Problem("BaseUrl", "is empty and Urls asks for any free port, so that links in messages would lead nowhere; write the address readers use.");
        return BaseOf(urls[0]);
    }

    private static string Language(SettingsSection section)
    {
        var language = section.Text("Language", "en");
        if (!LanguageTag().IsMatch(language)) section.Problem("Language", "is not a language tag; write one such as en or pt-BR (BCP 47).");
        return language;
    }

    private static ScheduleSettings Schedule(SettingsSection section)
    {
        var cron = section.Text("Cron", "0 9 * * 1");
        if (ScheduleSettings.ProblemOfCron(cron) is { } ofCron) section.Problem("Cron", ofCron);
        var zone = section.Text("TimeZone", "UTC");
        if (ScheduleSettings.ProblemOfZone(zone) is { } ofZone) section.Problem("TimeZone", ofZone);
        section.Finish();
        return new ScheduleSettings(cron, TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var found) ? found : TimeZoneInfo.Utc);
    }

    [GeneratedRegex("^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", RegexOptions.CultureInvariant)]
    private static partial Regex LanguageTag();
}
