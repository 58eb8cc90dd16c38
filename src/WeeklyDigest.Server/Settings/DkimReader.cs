using System.Text.RegularExpressions;
using WeeklyDigest.Audience;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Server.Settings;

/// <summary>Reads the section Dkim.</summary>
internal static partial class DkimReader
{
    /// <summary>What signs the messages; null when there is no key, or none that can be used.</summary>
    /// <param name="section">The section.</param>
    /// <param name="root">Relative paths count from here.</param>
    /// <param name="fromDomain">The domain of Newsletter:From, in ASCII.</param>
    public static DkimSigner? Read(SettingsSection section, string root, string fromDomain)
    {
        var domain = Domain(section, fromDomain);
        var keys = new List<DkimKey>();
        var selectors = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var item in section.Items("Keys"))
        {
            if (Key(item, root, domain, selectors) is not { } key) continue;
            if (keys.Any(other => other.Type == key.Type))
                item.Problem("PrivateKeyFile", $"is a second {key.Type} key; receivers need one of each kind at most: RSA and, beside it, Ed25519.");
            keys.Add(key);
        }
        section.Finish();
        return keys.Count > 0 ? new DkimSigner(domain, keys) : null;
    }

    private static string Domain(SettingsSection section, string fromDomain)
    {
        var text = section.Text("Domain");
        if (text.Length == 0) return fromDomain;
        // The rules for domains are those of addresses.
        if (!EmailAddress.TryParse("dkim@" + text, out var address))
        {
            section.Problem("Domain", "is not a domain; write one such as example.com, or nothing for that of Newsletter:From.");
            return fromDomain;
        }
        if (!DkimSigner.IsAligned(address.AsciiDomain, fromDomain))
            section.Problem("Domain", $"'{text}' is neither the domain of Newsletter:From ({fromDomain}) nor above it, so that receivers would not count the signature (DMARC); write {fromDomain}, or nothing.");
        return address.AsciiDomain;
    }

    private static DkimKey? Key(SettingsSection item, string root, string domain, HashSet<string> selectors)
    {
        var (selector, file) = (item.Text("Selector"), item.Text("PrivateKeyFile"));
        if (Selector(selector, domain, selectors) is { } wrong) item.Problem("Selector", wrong);
        var reading = file.Length == 0
            ? new DkimKeyReading(null, "is missing; write the path of a private key in PEM form.")
            : DkimKeyFile.Read(selector, Path.GetFullPath(file, root));
        if (reading.Problem is { } problem) item.Problem("PrivateKeyFile", problem);
        item.Finish();
        return reading.Key;
    }

    private static string? Selector(string selector, string domain, HashSet<string> known) => selector switch
    {
        "" => "is missing; write the key's name in DNS, such as wd1.",
        _ when !Labels().IsMatch(selector) || DkimRecord.NameOf(selector, domain).Length > 253 => "is not a name in DNS; write letters, digits and inner dashes, such as wd1.",
        _ when !known.Add(selector) => $"'{selector}' is the name of another key as well; give each its own.",
        _ => null,
    };

    [GeneratedRegex(@"^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Labels();
}
