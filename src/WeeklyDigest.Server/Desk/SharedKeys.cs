using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.Repositories;
using WeeklyDigest.Storage.Postgres;

namespace WeeklyDigest.Server.Desk;

/// <summary>The keys of cookies and forms in the database that the nodes share.</summary>
/// <param name="shared">Has them.</param>
internal sealed class SharedKeys(PostgresSignIns shared) : IXmlRepository
{
    /// <inheritdoc/>
    // The framework asks at the start and once a day, and waits: there is no other way to answer.
    public IReadOnlyCollection<XElement> GetAllElements()
        => [.. shared.KeysAsync(CancellationToken.None).GetAwaiter().GetResult().Select(XElement.Parse)];

    /// <inheritdoc/>
    public void StoreElement(XElement element, string friendlyName)
        => shared.AddKeyAsync(friendlyName, element.ToString(SaveOptions.DisableFormatting), CancellationToken.None).GetAwaiter().GetResult();
}
