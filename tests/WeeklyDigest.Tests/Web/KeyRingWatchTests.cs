using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging.Abstractions;
using WeeklyDigest.Server.Desk;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Tests.Web;

public sealed class KeyRingWatchTests
{
    [Fact]
    public async Task A_database_that_goes_away_at_the_first_look_at_the_keys_is_told_as_that_so_that_the_start_waits_for_it()
    {
        using var folder = new TemporaryFolder();
        using var database = Database.Open(new StorageOptions { ConnectionString = folder.File("weeklydigest.db") }, TimeProvider.System);
        var away = new StorageException("The database is away.") { IsAway = true };
        using var watch = new KeyRingWatch(database, new UnreadableKeys(away), TimeProvider.System, NullLogger<KeyRingWatch>.Instance);

        Assert.Same(away, await Assert.ThrowsAsync<StorageException>(() => watch.StartAsync(TestContext.Current.CancellationToken)));
    }

    /// <summary>Keys whose store cannot be read, as ASP.NET tells it.</summary>
    private sealed class UnreadableKeys(Exception cause) : IDataProtectionProvider, IDataProtector
    {
        public IDataProtector CreateProtector(string purpose) => this;

        public byte[] Protect(byte[] plaintext) => throw new CryptographicException("An error occurred while trying to encrypt the provided data.", cause);

        public byte[] Unprotect(byte[] protectedData) => throw new CryptographicException("An error occurred.", cause);
    }
}
