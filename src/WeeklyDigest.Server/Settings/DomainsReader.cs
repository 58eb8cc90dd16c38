using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Server.Settings;

/// <summary>Reads Delivery:Domains, the limits for receiving domains.</summary>
internal static class DomainsReader
{
    /// <summary>The limits, one for each domain.</summary>
    /// <param name="delivery">The section Delivery.</param>
    public static IReadOnlyList<DomainOptions> Read(SettingsSection delivery)
    {
        var items = delivery.Items("Domains");
        var domains = items.Select(One).ToList();
        for (var i = 0; i < domains.Count; i++)
        {
            if (domains.Take(i).Any(other => other.Name == domains[i].Name)) items[i].Problem("Name", $"'{domains[i].Name}' has another entry as well; write one.");
        }
        return domains.DistinctBy(domain => domain.Name).ToArray();
    }

    private static DomainOptions One(SettingsSection section)
    {
        var domain = new DomainOptions
        {
            Name = Name(section),
            Connections = section.Number("Connections", 0, 0, 1000),
            MessagesPerSecond = section.Rate("MessagesPerSecond", 1_000_000),
            MessagesPerMinute = section.Rate("MessagesPerMinute", 1_000_000),
        };
        if (domain is { Connections: 0, MessagesPerSecond: 0, MessagesPerMinute: 0 })
            section.Problem("Connections", "is 0, and so are the rates: the entry limits nothing; set one of them, or remove it.");
        section.Finish();
        return domain;
    }

    // As addresses have it: lower case, Unicode.
    private static string Name(SettingsSection section)
    {
        var name = section.Text("Name");
        if (name == DomainOptions.AnyOther) return name;
        if (EmailAddress.TryParse("name@" + name, out var address)) return address.Domain;
        section.Problem("Name", name.Length == 0 ? "is missing; write a domain such as example.com, or * for all others." : $"'{name}' is no domain; write one such as example.com, or * for all others.");
        return name;
    }
}
