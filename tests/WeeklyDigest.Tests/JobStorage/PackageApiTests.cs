using Hangfire;
using Hangfire.Storage.SQLite;
using WeeklyDigest.Tests.Architecture;

namespace WeeklyDigest.Tests.JobStorage;

/// <summary>The package Hangfire.Storage.SQLite (0.4.3) and ours are called alike, so that the server builds against either.</summary>
public sealed class PackageApiTests
{
    private const string Package = "Hangfire.Storage.SQLite";

    // The members of the package that ours has; those with other types in their signatures (SQLiteDbConnectionFactory) are not among them.
    private static readonly string[] Members =
    [
        "SQLiteStorageExtensions: Hangfire.IGlobalConfiguration`1[Hangfire.Storage.SQLite.SQLiteStorage] UseSQLiteStorage(Hangfire.IGlobalConfiguration)",
        "SQLiteStorageExtensions: Hangfire.IGlobalConfiguration`1[Hangfire.Storage.SQLite.SQLiteStorage] UseSQLiteStorage(Hangfire.IGlobalConfiguration, System.String, Hangfire.Storage.SQLite.SQLiteStorageOptions)",
        "SQLiteStorage: Void .ctor(System.String)",
        "SQLiteStorage: Void .ctor(System.String, Hangfire.Storage.SQLite.SQLiteStorageOptions)",
        "SQLiteStorage: Void Dispose()",
        "SQLiteStorageOptions: Void .ctor()",
        "SQLiteStorageOptions: System.TimeSpan QueuePollInterval",
        "SQLiteStorageOptions: System.TimeSpan InvisibilityTimeout",
        "SQLiteStorageOptions: System.TimeSpan DistributedLockLifetime",
        "SQLiteStorageOptions: System.TimeSpan JobExpirationCheckInterval",
        "SQLiteStorageOptions: System.TimeSpan CountersAggregateInterval",
        "SQLiteStorageOptions: AutoVacuum AutoVacuumSelected",
        "SQLiteStorageOptions: JournalModes JournalMode",
        "SQLiteStorageOptions: Int32 PoolSize",
        "SQLiteStorageOptions: System.String Prefix",
        "SQLiteStorageOptions: System.String ClientId",
    ];

    [Fact]
    public void Ours_has_the_members_of_the_package_with_their_signatures()
    {
        var ours = new[] { typeof(SQLiteStorageExtensions), typeof(SQLiteStorage), typeof(SQLiteStorageOptions) }
            .SelectMany(type => type.GetMembers().Select(member => $"{type.Name}: {member}")).ToList();
        Assert.Empty(Members.Except(ours));
        Assert.All([typeof(SQLiteStorageExtensions), typeof(SQLiteStorage), typeof(SQLiteStorageOptions)], type => Assert.Equal(Package, type.Namespace));
        Assert.True(typeof(SQLiteStorageExtensions).GetMethod("UseSQLiteStorage", [typeof(IGlobalConfiguration), typeof(string), typeof(SQLiteStorageOptions)])!.GetParameters()[2].IsOptional);
    }

    [Fact]
    public void The_server_uses_no_member_that_the_package_lacks()
    {
        // One file is left out when the server is built with the package.
        var used = SourceTree.Ours.Usages.Where(usage => usage.Namespace == Package && usage.File.StartsWith("src/WeeklyDigest.Server/", StringComparison.Ordinal)
            && !usage.File.EndsWith("/JobFileLook.cs", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(used);
        Assert.All(used, usage => Assert.Contains(Members, member => member.StartsWith(usage.Type + ": ", StringComparison.Ordinal)
            && (usage.Member.Length == 0 || member.Contains(" " + usage.Member, StringComparison.Ordinal))));
    }

    [Fact]
    public void Options_refuse_what_cannot_be()
    {
        var options = new SQLiteStorageOptions();
        Assert.Throws<ArgumentException>(() => options.QueuePollInterval = TimeSpan.Zero);
        Assert.Throws<ArgumentException>(() => options.InvisibilityTimeout = TimeSpan.FromSeconds(-1));
        Assert.Throws<ArgumentException>(() => options.JournalMode = SQLiteStorageOptions.JournalModes.DELETE);
        Assert.Throws<ArgumentException>(() => options.PoolSize = 0);
        options.JournalMode = SQLiteStorageOptions.JournalModes.WAL;
        Assert.Equal(("hangfire", TimeSpan.FromSeconds(15)), (options.Prefix, options.InvisibilityTimeout));
    }
}
