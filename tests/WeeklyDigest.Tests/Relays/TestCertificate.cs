using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace WeeklyDigest.Tests.Relays;

/// <summary>Self-signed certificates made in the test.</summary>
internal static class TestCertificate
{
    /// <summary>For localhost and 127.0.0.1, valid since two days and until tomorrow unless said otherwise.</summary>
    public static X509Certificate2 Create(string host = "localhost", bool expired = false, int days = 1)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={host}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        if (host == "localhost")
        {
            names.AddIpAddress(IPAddress.Loopback);
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-2), now.AddDays(expired ? -1 : days));
    }

    /// <summary>Writes the certificate, without its key, as PEM.</summary>
    /// <returns>The path.</returns>
    public static string WritePem(this X509Certificate2 certificate, string folder)
    {
        var path = Path.Combine(folder, "relay.pem");
        File.WriteAllText(path, certificate.ExportCertificatePem());
        return path;
    }
}
