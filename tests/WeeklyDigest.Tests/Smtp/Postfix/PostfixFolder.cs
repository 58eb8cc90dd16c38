using System.Net;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace WeeklyDigest.Tests.Smtp.Postfix;

/// <summary>All that a Postfix instance of its own needs, in a temporary folder: configuration, queue, accounts, certificates, maildir.</summary>
internal sealed class PostfixFolder(int startTlsPort, int tlsPort)
{
    private static readonly string[] QueueFolders =
        ["active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop", "pid", "private", "public", "saved", "trace"];

    public const string Username = "editor";

    public const string Password = "correct horse battery staple";

    public const int MessageSizeLimit = 300_000;

    public string Root { get; } = Directory.CreateTempSubdirectory("weeklydigest-postfix-").FullName;

    public string Configuration => Path.Combine(Root, "etc");

    public string Log => Path.Combine(Root, "postfix.log");

    public string Authority => Path.Combine(Root, "authority.pem");

    public string Shim => Path.Combine(Root, "unprivileged.so");

    public string NewMail => Path.Combine(Root, "mail", "box", "new");

    /// <summary>Writes everything.</summary>
    public async Task CreateAsync(CancellationToken cancel)
    {
        var sasl = Directory.CreateDirectory(Path.Combine(Configuration, "sasl")).FullName;
        foreach (var name in QueueFolders.Select(name => Path.Combine("queue", name)).Append("data").Append("mail"))
            Directory.CreateDirectory(Path.Combine(Root, name));
        await File.WriteAllTextAsync(Path.Combine(Configuration, "main.cf"), Main(), cancel);
        await File.WriteAllTextAsync(Path.Combine(Configuration, "master.cf"), Master(), cancel);
        await File.WriteAllTextAsync(Path.Combine(sasl, "smtpd.conf"), $"pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\nsasldb_path: {sasl}/sasldb2\n", cancel);
        await Command.RunAsync("/usr/sbin/saslpasswd2", ["-p", "-c", "-f", Path.Combine(sasl, "sasldb2"), "-u", "relay.test", Username], Encoding.UTF8.GetBytes(Password), cancel: cancel);
        await Command.RunAsync("gcc", ["-shared", "-fPIC", "-fno-builtin", "-o", Shim, Source()], cancel: cancel);
        WriteCertificates();
    }

    private static string Source([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "unprivileged.c");

    private string Main() => $"""
        compatibility_level = 3.6
        queue_directory = {Root}/queue
        data_directory = {Root}/data
        maillog_file = {Log}
        maillog_file_prefixes = {Root}
        import_environment = MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LANG=C LD_PRELOAD
        myhostname = relay.test
        inet_interfaces = 127.0.0.1
        inet_protocols = ipv4
        mydestination =
        alias_maps =
        virtual_mailbox_domains = static:all
        virtual_mailbox_base = {Root}/mail
        virtual_mailbox_maps = static:box/
        virtual_uid_maps = static:65534
        virtual_gid_maps = static:65534
        message_size_limit = {MessageSizeLimit}
        smtpd_tls_security_level = encrypt
        smtpd_tls_chain_files = {Root}/relay.pem
        smtpd_sasl_auth_enable = yes
        smtpd_sasl_type = cyrus
        smtpd_sasl_path = smtpd
        cyrus_sasl_config_path = {Configuration}/sasl
        smtpd_sasl_local_domain = relay.test
        smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination, reject

        """;

    private string Master() => $"""
        127.0.0.1:{startTlsPort} inet n - n - - smtpd
        127.0.0.1:{tlsPort} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes -o smtpd_discard_ehlo_keywords=chunking,pipelining
        cleanup unix n - n - 0 cleanup
        qmgr unix n - n 300 1 qmgr
        tlsmgr unix - - n 1000? 1 tlsmgr
        rewrite unix - - n - - trivial-rewrite
        bounce unix - - n - 0 bounce
        defer unix - - n - 0 bounce
        trace unix - - n - 0 bounce
        flush unix n - n 1000? 0 flush
        proxymap unix - - n - - proxymap
        virtual unix - n n - - virtual
        error unix - - n - - error
        retry unix - - n - - error
        anvil unix - - n - 1 anvil
        postlog unix-dgram n - n - 1 postlogd

        """;

    /// <summary>An authority of our own and a certificate by it, so that checking it is real.</summary>
    private void WriteCertificates()
    {
        var now = TimeProvider.System.GetUtcNow();
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authorityRequest = new CertificateRequest("CN=WeeklyDigest test authority", authorityKey, HashAlgorithmName.SHA256);
        authorityRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        authorityRequest.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        using var authority = authorityRequest.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        using var relayKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=relay.test", relayKey, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        using var relay = request.Create(authority, now.AddDays(-1), now.AddHours(12), [1, 2, 3]);
        File.WriteAllText(Path.Combine(Root, "relay.pem"), relayKey.ExportPkcs8PrivateKeyPem() + "\n" + relay.ExportCertificatePem() + "\n");
        File.WriteAllText(Authority, authority.ExportCertificatePem() + "\n");
    }
}
