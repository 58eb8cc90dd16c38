using WeeklyDigest.Smtp;

namespace WeeklyDigest.Server.Commands.Doctor;

/// <summary>
/// Looks at the SPF record of the envelope sender's domain (RFC 7208), which is that of From. Which machines the relay sends from only its
/// provider knows, so that a message that passed is the proof; what is found here is a record that cannot work.
/// </summary>
/// <param name="records">Asks DNS.</param>
internal sealed class SpfCheck(TextRecords records)
{
    private const string Area = "spf";

    /// <summary>Receivers give up after so many questions (section 4.6.4).</summary>
    private const int MaxLookups = 10;

    private int lookups;
    private string? trouble;

    /// <summary>Looks at a domain.</summary>
    public async Task<Diagnosis> RunAsync(string domain, CancellationToken cancel)
    {
        var answer = await records.AskAsync(domain, cancel);
        if (answer.Trouble is { } unknown) return Unknown($"{domain} could not be looked up: {unknown}.");
        var texts = answer.Texts.Where(IsSpf).ToList();
        if (texts.Count == 0)
            return Diagnosis.Warning(Area, $"{domain} has no SPF record, which Gmail, Yahoo and others ask of newsletters.", $"Publish a TXT record at {domain} with what your relay's provider names, such as \"v=spf1 include:spf.example.net ~all\".");
        if (texts.Count > 1) return Diagnosis.Problem(Area, $"{domain} has {texts.Count} SPF records, which counts as none.", "Put their mechanisms into one.");
        var error = await FollowAsync(domain, texts[0], cancel);
        if (trouble is not null) return Unknown(trouble);
        return error is null ? Ending(domain, texts[0]) : Diagnosis.Problem(Area, error, $"Receivers take that for no record at all: correct \"{Diagnosis.Shorten(texts[0])}\".");
    }

    private static Diagnosis Unknown(string what) => Diagnosis.Warning(Area, what, "Try again, or ask another name server with --dns.");

    private Diagnosis Ending(string domain, string text)
    {
        var terms = Terms(text).ToList();
        var all = terms.Find(term => IsAll(WithoutQualifier(term)));
        var found = $"{domain} has \"{Diagnosis.Shorten(text)}\" ({lookups} of {MaxLookups} lookups)";
        if (all is not null && all[0] is not ('-' or '~' or '?')) return Diagnosis.Warning(Area, $"{found}, which lets anybody send in its name.", "End it with ~all or -all.");
        if (!terms.Exists(Lets)) return Diagnosis.Problem(Area, $"{found}, which lets nobody send in its name.", "Put what your relay's provider names before the end of it, such as include:spf.example.net.");
        return all is null && !terms.Exists(term => term.StartsWith("redirect=", StringComparison.OrdinalIgnoreCase))
            ? Diagnosis.Warning(Area, $"{found}, which says nothing of other senders.", "End it with ~all or -all.")
            : Diagnosis.Ok(Area, $"{found}.");
    }

    /// <summary>Counts the questions a receiver has to ask, following what a record includes.</summary>
    /// <returns>Why a receiver would give up; null when it would not.</returns>
    private async Task<string?> FollowAsync(string domain, string text, CancellationToken cancel)
    {
        var terms = Terms(text).Select(WithoutQualifier).ToList();
        foreach (var mechanism in terms)
        {
            var name = mechanism.Split(':', '/', '=')[0].ToLowerInvariant();
            if (name is not ("include" or "redirect" or "a" or "mx" or "ptr" or "exists")) continue;
            // What stands beside "all" is not redirected (section 6.1).
            if (name == "redirect" && terms.Exists(IsAll)) continue;
            if (++lookups > MaxLookups) return $"The SPF record of {domain} needs more than {MaxLookups} lookups.";
            var target = mechanism.Length > name.Length ? mechanism[(name.Length + 1)..] : "";
            // A name with macros differs from message to message (section 7).
            if (name is not ("include" or "redirect") || target.Contains('%', StringComparison.Ordinal)) continue;
            if (await IncludedAsync(domain, target, cancel) is { } error) return error;
            if (trouble is not null) return null;
        }
        return null;
    }

    private async Task<string?> IncludedAsync(string domain, string target, CancellationToken cancel)
    {
        var shown = Diagnosis.Shorten(target);
        if (!TextRecords.IsName(target.TrimEnd('.'))) return $"The SPF record of {domain} includes '{shown}', which is no domain.";
        var answer = await records.AskAsync(target.TrimEnd('.'), cancel);
        trouble = answer.Trouble is { } unknown ? $"{shown}, which the SPF record of {domain} includes, could not be looked up: {unknown}." : null;
        if (trouble is not null) return null;
        return answer.Texts.Where(IsSpf).ToList() switch
        {
            [] => $"The SPF record of {domain} includes {shown}, which has none.",
            [var only] => await FollowAsync(shown, only, cancel),
            _ => $"The SPF record of {domain} includes {shown}, which has several.",
        };
    }

    /// <summary>Whether a term can let somebody send; exp= and unknown modifiers do not (section 6).</summary>
    private static bool Lets(string term)
        => term.StartsWith("redirect=", StringComparison.OrdinalIgnoreCase) || (term[0] is not ('-' or '~' or '?') && !term.Contains('=', StringComparison.Ordinal));

    private static string WithoutQualifier(string term) => term.TrimStart('+', '-', '~', '?');

    private static bool IsAll(string mechanism) => mechanism.Equals("all", StringComparison.OrdinalIgnoreCase);

    private static bool IsSpf(string text) => text.Equals("v=spf1", StringComparison.OrdinalIgnoreCase) || text.StartsWith("v=spf1 ", StringComparison.OrdinalIgnoreCase);

    private static IEnumerable<string> Terms(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1);
}
