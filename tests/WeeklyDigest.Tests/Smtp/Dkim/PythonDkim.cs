using System.Text.Json;
using WeeklyDigest.Smtp;
using WeeklyDigest.Tests.Smtp.Postfix;

namespace WeeklyDigest.Tests.Smtp.Dkim;

/// <summary>The verifier of Debian's python3-dkim, which takes the octets as they are; DNS is what we would publish.</summary>
internal static class PythonDkim
{
    /// <summary>Debian's own: its packages are not seen by a Python from elsewhere.</summary>
    private const string Python = "/usr/bin/python3";

    private const string Script = """
        import base64, dkim, json, sys
        asked = json.load(sys.stdin)
        records = {name.encode(): text.encode() for name, text in asked['records'].items()}
        def verdict(verifier, index):
            try:
                return 'pass' if verifier.verify(idx=index, dnsfunc=lambda name, timeout=5: records.get(name.rstrip(b'.'))) else 'fail'
            except dkim.DKIMException as problem:
                return f'{type(problem).__name__}: {problem}'
        def verdicts(message):
            verifier = dkim.DKIM(message)
            count = sum(1 for name, _ in verifier.headers if name.lower() == b'dkim-signature')
            return ', '.join(verdict(dkim.DKIM(message), index) for index in range(count))
        print(json.dumps([verdicts(base64.b64decode(message)) for message in asked['messages']]))
        """;

    /// <summary>What it says of each message: the verdict on each of its signatures, from the first on, such as "pass, pass".</summary>
    public static async Task<IReadOnlyList<string>> VerifyAsync(DkimSigner signer, IEnumerable<byte[]> messages, CancellationToken cancel)
    {
        var records = signer.Keys.ToDictionary(key => DkimRecord.NameOf(key.Selector, signer.Domain), DkimRecord.TextOf);
        var asked = JsonSerializer.SerializeToUtf8Bytes(new { records, messages });
        return JsonSerializer.Deserialize<List<string>>(await Command.RunAsync(Python, ["-c", Script], asked, cancel: cancel))!;
    }
}
