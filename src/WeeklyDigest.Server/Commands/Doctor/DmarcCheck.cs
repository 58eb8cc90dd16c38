using WeeklyDigest.Smtp;

namespace WeeklyDigest.Server.Commands.Doctor;

/// <summary>Looks at the DMARC record that counts for From's domain: its own, or that of the nearest domain above (RFC 7489 section 6.6.3).</summary>
internal static class DmarcCheck
{
    private const string Area = "dmarc";

    /// <summary>Looks at a domain.</summary>
    /// <param name="domain">The domain of From.</param>
    /// <param name="signer">What signs, or null.</param>
    /// <param name="records">Asks DNS.</param>
    /// <param name="cancel">Stops.</param>
    public static async Task<Diagnosis> RunAsync(string domain, DkimSigner? signer, TextRecords records, CancellationToken cancel)
    {
        foreach (var name in Upwards(domain))
        {
            var answer = await records.AskAsync("_dmarc." + name, cancel);
            if (answer.Trouble is { } trouble)
                return Diagnosis.Warning(Area, $"_dmarc.{name} could not be looked up: {trouble}.", "Try again, or ask another name server with --dns.");
            var found = answer.Texts.Where(IsDmarc).ToList();
            if (found.Count > 1) return Diagnosis.Problem(Area, $"_dmarc.{name} has {found.Count} DMARC records, which counts as none.", "Leave only one.");
            if (found.Count == 1) return Judge(domain, name, found[0], signer);
        }
        return Diagnosis.Warning(Area, $"{domain} has no DMARC record, which Gmail, Yahoo and others ask of newsletters.", $"Publish a TXT record at _dmarc.{domain}, to begin with \"v=DMARC1; p=none; rua=mailto:you@{domain}\".");
    }

    private static Diagnosis Judge(string domain, string name, string text, DkimSigner? signer)
    {
        var tags = TagList.Of(text);
        var policy = (name == domain ? null : tags.GetValueOrDefault("sp")) ?? tags.GetValueOrDefault("p", "");
        var found = $"_dmarc.{name} has \"{Diagnosis.Shorten(text)}\"";
        if (policy.ToLowerInvariant() is not ("none" or "quarantine" or "reject"))
            return Diagnosis.Problem(Area, $"{found}, which has no policy (p=).", "Write p=none, p=quarantine or p=reject.");
        if (tags.GetValueOrDefault("adkim", "r") is "s" or "S" && signer is not null && signer.Domain != domain)
            return Diagnosis.Problem(Area, $"{found}, which wants signatures by {domain} itself (adkim=s), but {signer.Domain} signs.", "Leave Dkim:Domain empty, or write adkim=r.");
        if (signer is null && !policy.Equals("none", StringComparison.OrdinalIgnoreCase))
            return Diagnosis.Warning(Area, $"{found}, and messages are not signed here: those that are forwarded will be refused.", "Set Dkim:Keys, unless your relay signs for this domain.");
        return Diagnosis.Ok(Area, $"{found}.");
    }

    // The record of an organization covers what is below it; the registry's own domains have none, so that walking up ends there.
    private static IEnumerable<string> Upwards(string domain)
    {
        var labels = domain.Split('.');
        for (var i = 0; i < labels.Length - 1; i++)
            if (i == 0 || i >= labels.Length - 4) yield return string.Join('.', labels[i..]);
    }

    private static bool IsDmarc(string text) => text.StartsWith("v=DMARC1", StringComparison.OrdinalIgnoreCase) && TagList.Of(text).GetValueOrDefault("v", "").Equals("DMARC1", StringComparison.OrdinalIgnoreCase);
}
