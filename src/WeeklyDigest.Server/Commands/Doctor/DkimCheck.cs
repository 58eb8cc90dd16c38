using WeeklyDigest.Smtp;

namespace WeeklyDigest.Server.Commands.Doctor;

/// <summary>Compares a key with its record in DNS (RFC 6376 section 3.6.1).</summary>
internal static class DkimCheck
{
    private const string Area = "dkim";

    /// <summary>Looks at one key.</summary>
    public static async Task<Diagnosis> RunAsync(DkimKey key, string domain, TextRecords records, CancellationToken cancel)
    {
        var record = new PublishedRecord(DkimRecord.NameOf(key.Selector, domain), DkimRecord.TextOf(key));
        var answer = await records.AskAsync(record.Name, cancel);
        return Judge(key, record.Name, answer) with { Record = record };
    }

    /// <summary>What is to be said of the kinds of keys; null when there is an RSA key, as there should be.</summary>
    public static Diagnosis? OfKeys(DkimSigner? signer)
    {
        if (signer is null)
        {
            return Diagnosis.Warning(Area, "Messages are not signed here.", "Unless your relay signs them for the domain of Newsletter:From, make a key ("
                + $"{DkimKeyFile.CommandFor("keys/wd1.pem")}), name it in Dkim:Keys, and run this again: it prints the record to publish.");
        }
        return signer.Keys.Any(key => key.Type == "rsa")
            ? null
            : Diagnosis.Warning(Area, "The only key is Ed25519, which many receivers do not know.", "Put an RSA key beside it.");
    }

    private static Diagnosis Judge(DkimKey key, string name, TextAnswer answer)
    {
        if (answer.Trouble is { } trouble)
            return Diagnosis.Warning(Area, $"{name} could not be looked up: {trouble}.", "Try again, or ask another name server with --dns. This is to be published:");
        // A record need not say what it is; but one that says it is something else is not meant.
        var keys = answer.Texts.Select(TagList.Of).Where(tags => tags.ContainsKey("p") && tags.GetValueOrDefault("v", "DKIM1") == "DKIM1").ToList();
        return keys switch
        {
            [] => Diagnosis.Problem(Area, $"{name} has no key, so that receivers cannot check the signatures.", "Publish this TXT record:"),
            [var only] => Compare(key, name, only),
            _ => Diagnosis.Problem(Area, $"{name} has {keys.Count} keys; receivers may take any of them.", "Leave only this TXT record:"),
        };
    }

    private static Diagnosis Compare(DkimKey key, string name, IReadOnlyDictionary<string, string> tags)
    {
        var published = string.Concat(tags["p"].Where(c => !char.IsWhiteSpace(c)));
        if (published.Length == 0) return Diagnosis.Problem(Area, $"{name} says that its key was withdrawn.", "Make a key with a new selector; or, if it is still yours alone, publish this TXT record:");
        if (!tags.GetValueOrDefault("k", "rsa").Equals(key.Type, StringComparison.OrdinalIgnoreCase) || published != key.PublicKey)
            return Diagnosis.Problem(Area, $"{name} has another key than the one we sign with, so that every signature fails.", "Publish this TXT record:");
        if (tags.TryGetValue("h", out var hashes) && !Lists(hashes, "sha256"))
            return Diagnosis.Problem(Area, $"{name} does not allow SHA-256 (h=).", "Publish this TXT record:");
        if (tags.TryGetValue("s", out var services) && !Lists(services, "email") && !Lists(services, "*"))
            return Diagnosis.Problem(Area, $"{name} does not allow e-mail (s=).", "Publish this TXT record:");
        return tags.TryGetValue("t", out var flags) && Lists(flags, "y")
            ? Diagnosis.Warning(Area, $"{name} has our key, but says that it is only being tested (t=y).", "Once signatures pass, publish this TXT record:")
            : Diagnosis.Ok(Area, $"{name} has our key ({key.Type}, {key.Bits} bits); this is the record:");
    }

    private static bool Lists(string value, string wanted) => value.Split(':', StringSplitOptions.TrimEntries).Contains(wanted, StringComparer.OrdinalIgnoreCase);
}
