using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace WeeklyDigest.Smtp;

/// <summary>
/// Checks a relay's certificate: its host name always, its chain against the system's authorities and the relay's own
/// <see cref="RelayOptions.TrustedCertificates"/>. A certificate known to be revoked is refused; an authority whose revocation list cannot be
/// had right now is no reason not to send.
/// </summary>
internal sealed class RelayCertificates
{
    private const X509VerificationFlags OfflineIsFine = X509VerificationFlags.IgnoreEndRevocationUnknown
        | X509VerificationFlags.IgnoreCertificateAuthorityRevocationUnknown
        | X509VerificationFlags.IgnoreRootRevocationUnknown;

    private readonly X509Certificate2Collection _trusted;

    private RelayCertificates(X509Certificate2Collection trusted) => _trusted = trusted;

    /// <summary>Why the last certificate was refused; null when none was.</summary>
    public string? Refusal { get; private set; }

    /// <summary>When the last certificate ends; null when there was none.</summary>
    public DateTimeOffset? Expires { get; private set; }

    /// <summary>Reads the relay's own authorities.</summary>
    /// <exception cref="RelayException">The file cannot be read; not transient.</exception>
    public static RelayCertificates Load(RelayOptions relay)
    {
        var trusted = new X509Certificate2Collection();
        if (relay.TrustedCertificates.Length == 0) return new RelayCertificates(trusted);
        try
        {
            trusted.ImportFromPemFile(relay.TrustedCertificates);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new RelayException($"The file '{relay.TrustedCertificates}' (TrustedCertificates of relay '{relay.Name}') cannot be read: {failure.Message}", isTransient: false, failure);
        }
        return trusted.Count > 0
            ? new RelayCertificates(trusted)
            : throw new RelayException($"The file '{relay.TrustedCertificates}' (TrustedCertificates of relay '{relay.Name}') holds no certificate in PEM form.", isTransient: false);
    }

    /// <summary>Decides on a certificate, as <see cref="RemoteCertificateValidationCallback"/> asks it.</summary>
    public bool Validate(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        Refusal = Problem(certificate, chain, errors);
        Expires = (certificate as X509Certificate2)?.NotAfter.ToUniversalTime();
        return Refusal is null;
    }

    private string? Problem(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is not X509Certificate2 presented || chain is null) return "it presented no certificate";
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)) return $"its certificate ({presented.Subject}) is for another host name";
        if (!errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors)) return null;
        var serious = chain.ChainStatus.Where(status => !IsOffline(status.Status)).ToList();
        if (serious.Count == 0 || TrustedByOwn(presented, chain)) return null;
        // The one thing that is the relay's to mend, whoever issued it.
        if (serious.Exists(status => status.Status == X509ChainStatusFlags.NotTimeValid))
            return string.Create(CultureInfo.InvariantCulture, $"its certificate ({presented.Subject}) is not valid now: it holds from {presented.NotBefore.ToUniversalTime():yyyy-MM-dd} to {presented.NotAfter.ToUniversalTime():yyyy-MM-dd}");
        return $"its certificate ({presented.Subject}) is not valid: {string.Join(", ", serious.Select(status => status.Status))}";
    }

    private static bool IsOffline(X509ChainStatusFlags status)
        => status is X509ChainStatusFlags.RevocationStatusUnknown or X509ChainStatusFlags.OfflineRevocation;

    private bool TrustedByOwn(X509Certificate2 presented, X509Chain system)
    {
        if (_trusted.Count == 0) return false;
        using var own = new X509Chain();
        own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        own.ChainPolicy.CustomTrustStore.AddRange(_trusted);
        own.ChainPolicy.ExtraStore.AddRange(system.ChainPolicy.ExtraStore);
        own.ChainPolicy.RevocationMode = X509RevocationMode.Online;
        own.ChainPolicy.VerificationFlags = OfflineIsFine;
        own.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1", "Server authentication"));
        return own.Build(presented);
    }
}
