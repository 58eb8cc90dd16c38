using System.Net.Sockets;
using System.Security.Cryptography;
using WeeklyDigest.Server.Settings;
using WeeklyDigest.Tests.Smtp.Dkim;

namespace WeeklyDigest.Tests.Settings;

public sealed class DkimSettingsTests : IDisposable
{
    private const string Make = "`openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out FILE`";

    private readonly TemporaryFolder folder = new();
    private readonly Dictionary<string, string> environment = new() { ["Newsletter__PostalAddress"] = "1 Example Street" };

    public DkimSettingsTests() => Directory.CreateDirectory(folder.File("templates"));

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Without_a_key_nothing_is_signed() => Assert.Null(Load().Dkim);

    [Fact]
    public void Takes_RSA_as_PKCS_1_or_8_and_Ed25519_and_the_domain_of_From()
    {
        environment["Newsletter__From"] = "digest@bücher.example";
        Key(0, "wd1", DkimKeys.Instance.RsaPem);
        Key(1, "wd2", Ed25519Pem);
        var signer = Load().Dkim!;
        Assert.Equal("xn--bcher-kva.example", signer.Domain);
        Assert.Equal(["wd1 rsa 2048", "wd2 ed25519 256"], signer.Keys.Select(key => $"{key.Selector} {key.Type} {key.Bits}"));
        Assert.Equal(DkimKeys.Instance.Rsa.PublicKey, signer.Keys[0].PublicKey);
        Assert.Equal("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", signer.Keys[1].PublicKey);

        using var rsa = RSA.Create();
        rsa.ImportFromPem(DkimKeys.Instance.RsaPem);
        Key(0, "wd1", "A note above the key.\n" + rsa.ExportRSAPrivateKeyPem());
        Assert.Equal(DkimKeys.Instance.Rsa.PublicKey, Load().Dkim!.Keys[0].PublicKey);
    }

    [Theory]
    [InlineData("Domain", "example.org", "Dkim:Domain: 'example.org' is neither the domain of Newsletter:From (weekly.example.com) nor above it, so that receivers would not count the signature (DMARC); write weekly.example.com, or nothing.")]
    [InlineData("Domain", "a b", "Dkim:Domain: is not a domain; write one such as example.com, or nothing for that of Newsletter:From.")]
    [InlineData("Selector", "wd1", "Dkim:Selector: is not a setting; remove it. Known here: Domain, Keys.")]
    [InlineData("Keys:0:Selector", "", "Dkim:Keys:0:Selector: is missing; write the key's name in DNS, such as wd1.")]
    [InlineData("Keys:0:Selector", "wd1;x", "Dkim:Keys:0:Selector: is not a name in DNS; write letters, digits and inner dashes, such as wd1.")]
    [InlineData("Keys:0:PrivateKeyFile", "", "Dkim:Keys:0:PrivateKeyFile: is missing; write the path of a private key in PEM form.")]
    public void Says_what_is_wrong_with_the_names(string key, string value, string expected)
    {
        environment["Newsletter__From"] = "digest@weekly.example.com";
        Key(0, "wd1", DkimKeys.Instance.RsaPem);
        environment["Dkim__" + key.Replace(":", "__", StringComparison.Ordinal)] = value;
        Assert.Equal([expected], Problems());
    }

    [Fact]
    public void A_parent_of_From_s_domain_may_sign()
    {
        environment["Newsletter__From"] = "digest@weekly.example.com";
        environment["Dkim__Domain"] = "Example.com";
        Key(0, "wd1.2026", DkimKeys.Instance.RsaPem);
        Assert.Equal("example.com", Load().Dkim!.Domain);
    }

    [Fact]
    public void Says_what_is_wrong_with_each_key_file_at_once()
    {
        using var small = RSA.Create(1024);
        using var elliptic = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var rsa = RSA.Create(2048);
        Key(0, "a", small.ExportPkcs8PrivateKeyPem());
        Key(1, "b", elliptic.ExportPkcs8PrivateKeyPem());
        Key(2, "c", rsa.ExportSubjectPublicKeyInfoPem());
        Key(3, "d", rsa.ExportEncryptedPkcs8PrivateKeyPem("x", new PbeParameters(PbeEncryptionAlgorithm.Aes128Cbc, HashAlgorithmName.SHA256, 1)));
        Key(4, "e", "no key at all");
        Key(5, "f", DkimKeys.Instance.RsaPem[..60] + DkimKeys.Instance.RsaPem[64..]);
        Key(6, "g", new string('x', 70_000));
        Key(7, "h", Ed25519Pem.Replace("MC4CAQ", "MC8CAQ", StringComparison.Ordinal));
        Key(8, "i", DkimKeys.Instance.RsaPem);
        File.Delete(folder.File("key8.pem"));
        Key(9, "j", DkimKeys.Instance.RsaPem);
        environment["Dkim__Keys__9__PrivateKeyFile"] = ".";
        Assert.Equal(
            [
                $"is an RSA key of 1024 bits, too short to be trusted (RFC 8301); make one of 2048: {Make}.",
                $"holds a key of another kind (ECC); DKIM knows RSA and Ed25519: {Make}.",
                "holds a key or certificate of another kind (PUBLIC KEY); DKIM needs the private key, RSA or Ed25519, as `openssl pkey -in FILE -out NEW` writes it.",
                "is encrypted with a passphrase, which nobody is there to type; write the key without one: `openssl pkey -in FILE -out NEW`.",
                $"holds no private key in PEM form (-----BEGIN PRIVATE KEY-----); make one: {Make}.",
                $"is damaged: its private key cannot be used; restore it, or make a new one: {Make}.",
                "is larger than any private key; write the path of the key's file.",
                $"is damaged: its private key cannot be used; restore it, or make a new one: {Make}.",
                $"there is no file FILE; write the path of a private key, copy it from the machine that has it, or make a new one: {Make}.",
                "is a folder; write the path of the key's file.",
            ],
            Problems().Select((problem, i) => Regular(problem, i)));
    }

    [Fact]
    public void Refuses_a_key_that_others_can_read()
    {
        if (OperatingSystem.IsWindows()) return;
        Key(0, "wd1", DkimKeys.Instance.RsaPem);
        Key(1, "wd2", Ed25519Pem);
        File.SetUnixFileMode(folder.File("key0.pem"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        File.SetUnixFileMode(folder.File("key1.pem"), UnixFileMode.UserRead | UnixFileMode.GroupRead);
        Assert.Equal(
            [
                "can be read or changed by others than its owner (its mode is 644); run `chmod 600 FILE`.",
                "can be read or changed by others than its owner (its mode is 440); run `chmod 600 FILE`.",
            ],
            Problems().Select((problem, i) => Regular(problem, i)));
    }

    [Fact]
    public async Task Refuses_a_key_that_is_no_regular_file_before_it_is_opened()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Pipes and devices are told from files on Linux alone.");
        for (var i = 0; i < 4; i++)
        {
            Key(i, $"wd{i}", DkimKeys.Instance.RsaPem);
            File.Delete(folder.File($"key{i}.pem"));
        }
        NamedPipe.Make(folder.File("key0.pem"));
        File.CreateSymbolicLink(folder.File("key1.pem"), folder.File("key0.pem"));
        File.CreateSymbolicLink(folder.File("key2.pem"), "/dev/zero");
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(folder.File("key3.pem")));

        var cancel = TestContext.Current.CancellationToken;
        var problems = await Task.Run(Problems, cancel).WaitAsync(TimeSpan.FromSeconds(30), cancel);

        Assert.Equal(
            [
                "is a pipe, and no regular file; write the path of the key's file.",
                "is a pipe, and no regular file; write the path of the key's file.",
                "is a device, and no regular file; write the path of the key's file.",
                "is a socket, and no regular file; write the path of the key's file.",
            ],
            problems.Select((problem, i) => Regular(problem, i)));
    }

    [Fact]
    public void Takes_one_key_of_each_kind_under_names_of_their_own()
    {
        Key(0, "wd1", DkimKeys.Instance.RsaPem);
        Key(1, "WD1", DkimKeys.Instance.RsaPem);
        Assert.Equal(
            [
                "Dkim:Keys:1:Selector: 'WD1' is the name of another key as well; give each its own.",
                "Dkim:Keys:1:PrivateKeyFile: is a second rsa key; receivers need one of each kind at most: RSA and, beside it, Ed25519.",
            ],
            Problems());
    }

    /// <summary>The key of RFC 8032 section 7.1 (test 1), which RFC 8463 appendix A uses too.</summary>
    private const string Ed25519Pem = """
        -----BEGIN PRIVATE KEY-----
        MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
        -----END PRIVATE KEY-----
        """;

    private void Key(int index, string selector, string pem)
    {
        var path = folder.Write($"key{index}.pem", pem);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        environment[$"Dkim__Keys__{index}__Selector"] = selector;
        environment[$"Dkim__Keys__{index}__PrivateKeyFile"] = $"key{index}.pem";
    }

    private string Regular(string problem, int index)
        => problem.Replace($"Dkim:Keys:{index}:PrivateKeyFile: ", "", StringComparison.Ordinal)
            .Replace(folder.File($"key{index}.pem") + " is", "is", StringComparison.Ordinal)
            .Replace(folder.File($"key{index}.pem") + " holds", "holds", StringComparison.Ordinal)
            .Replace(folder.File($"key{index}.pem") + " can", "can", StringComparison.Ordinal)
            .Replace(folder.Path + " is", "is", StringComparison.Ordinal)
            .Replace(folder.File($"key{index}.pem"), "FILE", StringComparison.Ordinal);

    private ServerSettings Load() => SettingsLoader.Load(
        new InstallationFolder(folder.Path, folder.File("appsettings.json"), folder.Path), environment, new Dictionary<string, string?>());

    private IReadOnlyList<string> Problems() => Assert.Throws<SettingsException>(Load).Problems;
}
