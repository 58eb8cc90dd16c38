using WeeklyDigest.Deliveries;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Server.Settings;

/// <summary>Reads the sections Smtp and Delivery.</summary>
internal static class SmtpReader
{
    /// <summary>The relays; empty when the built-in inbox is to receive.</summary>
    public static IReadOnlyList<RelayOptions> Relays(SettingsSection section, string root)
    {
        var items = section.Items("Relays");
        var relays = items.Select(item => Relay(item, root)).ToList();
        for (var i = 0; i < relays.Count; i++)
        {
            if (relays.Take(i).Any(other => other.Name.Equals(relays[i].Name, StringComparison.OrdinalIgnoreCase)))
                items[i].Problem("Name", $"'{relays[i].Name}' is the name of another relay as well; give each its own.");
        }
        section.Finish();
        return relays;
    }

    /// <summary>How deliveries are claimed and tried again.</summary>
    public static DeliveryOptions Delivery(SettingsSection section)
    {
        var defaults = new DeliveryOptions();
        var day = TimeSpan.FromDays(1);
        var first = section.Duration("FirstRetryAfter", defaults.FirstRetryAfter, TimeSpan.FromSeconds(1), day);
        var options = new DeliveryOptions
        {
            FirstRetryAfter = first,
            RetryFactor = section.Factor("RetryFactor", defaults.RetryFactor, 1, 10),
            MaxRetryDelay = section.Duration("MaxRetryDelay", defaults.MaxRetryDelay, TimeSpan.FromSeconds(1), 14 * day),
            GiveUpAfter = section.Duration("GiveUpAfter", defaults.GiveUpAfter, TimeSpan.FromMinutes(1), 14 * day),
            OnUncertain = section.Choice("OnUncertain", defaults.OnUncertain),
            Lease = section.Duration("Lease", defaults.Lease, TimeSpan.FromSeconds(10), TimeSpan.FromHours(1)),
            PauseAfterConsecutiveFailures = section.Number("PauseAfterConsecutiveFailures", defaults.PauseAfterConsecutiveFailures, 1, 10_000),
            Domains = DomainsReader.Read(section),
        };
        if (options.MaxRetryDelay < first)
            section.Problem("MaxRetryDelay", $"{options.MaxRetryDelay} is shorter than FirstRetryAfter ({first}); make it at least as long.");
        section.Finish();
        return options;
    }

    private static RelayOptions Relay(SettingsSection section, string root)
    {
        var defaults = new RelayOptions();
        var name = section.Text("Name");
        var host = section.Text("Host");
        var relay = new RelayOptions
        {
            Name = name.Length > 0 ? name : host,
            Host = host,
            Port = section.Number("Port", defaults.Port, 1, 65535),
            Security = section.Choice("Security", defaults.Security),
            AllowPlaintext = section.Flag("AllowPlaintext", defaults.AllowPlaintext),
            Username = section.Text("Username"),
            Password = section.Text("Password", secret: true),
            Connections = section.Number("Connections", defaults.Connections, 1, 100),
            StalledConnections = section.Number("StalledConnections", defaults.StalledConnections, 0, 1000),
            Weight = section.Number("Weight", defaults.Weight, 1, 1000),
            MessagesPerSecond = section.Rate("MessagesPerSecond", 1_000_000),
            MessagesPerMinute = section.Rate("MessagesPerMinute", 60_000_000),
            MessagesPerHour = section.Rate("MessagesPerHour", 1_000_000_000),
            MessagesPerConnection = section.Number("MessagesPerConnection", defaults.MessagesPerConnection, 0, 1_000_000),
            TrustedCertificates = TrustedCertificates(section, root),
        };
        Check(section, relay);
        section.Finish();
        return relay;
    }

    private static void Check(SettingsSection section, RelayOptions relay)
    {
        if (Uri.CheckHostName(relay.Host) == UriHostNameType.Unknown)
            section.Problem("Host", relay.Host.Length == 0
                ? "is missing; write the relay's host name or address."
                : "is not a host name or address; write one such as smtp.example.com (the port has its own setting).");
        if (relay.Username.Length > 0 && relay.Password.Length == 0)
            section.Problem("Password", "is empty although there is a Username; set it, best in the environment.");
        if (relay.Username.Length == 0 && relay.Password.Length > 0)
            section.Problem("Username", "is empty although there is a Password; write the user name.");
        if (relay.Security == RelaySecurity.None && !NewsletterReader.IsLoopback(relay.Host)) CheckPlaintext(section, relay);
    }

    private static void CheckPlaintext(SettingsSection section, RelayOptions relay)
    {
        if (relay.Username.Length > 0)
            section.Problem("Security", "none would send the password in clear to another machine, which is never done; write starttls or tls, or remove Username and Password.");
        else if (!relay.AllowPlaintext && relay.Host.Length > 0)
            section.Problem("Security", "none would send every message in clear to another machine; write starttls or tls, or set AllowPlaintext to true if the network between is yours.");
    }

    private static string TrustedCertificates(SettingsSection section, string root)
    {
        var path = section.Text("TrustedCertificates");
        if (path.Length == 0) return path;
        var full = Path.GetFullPath(path, root);
        if (!File.Exists(full)) section.Problem("TrustedCertificates", $"there is no file {full}; write the path of a PEM file, or nothing.");
        return full;
    }
}
