using WeeklyDigest.Deliveries;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Tests.Storage;

/// <summary>The file or its log is taken away while it is open.</summary>
public sealed class SqlitePresenceTests : IDisposable
{
    private readonly SqlitePlace place = new();
    private Database database;

    public SqlitePresenceTests()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There nothing that is open can be taken away.");
        database = Database.Open(place.Options, TimeProvider.System);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Words => $"The database {place.File} was moved, deleted or replaced while it was in use. Stop every weeklydigest that uses it, put that file back, or a backup with no weeklydigest.db-wal and -shm beside it, and start again.";

    private string LogWords => $"The file {place.File}-wal, which belongs to the database, was moved, deleted or replaced while it was in use. Stop every weeklydigest that uses the database, with Ctrl-C or SIGTERM, put no other weeklydigest.db-wal there, and start again.";

    private string MemoryWords => LogWords.Replace("-wal", "-shm", StringComparison.Ordinal);

    public void Dispose()
    {
        database?.Dispose();
        place.Dispose();
    }

    [Fact]
    public async Task Nothing_is_committed_to_a_file_that_was_replaced_and_all_goes_on_when_it_is_put_back()
    {
        await KeepAsync("first", 1);
        File.Copy(place.File, place.File + ".backup");
        File.Move(place.File, place.File + ".away");
        File.Move(place.File + ".backup", place.File);
        await RefusedAsync(Words);

        File.Move(place.File + ".away", place.File, overwrite: true);
        Assert.Equal(3, await KeepAsync("second", 3));
        Assert.Equal(1, await KeepAsync("first", 9));
    }

    [Fact]
    public async Task A_file_that_is_deleted_or_whose_folder_is_renamed_is_not_made_anew()
    {
        await KeepAsync("first", 1);
        var folder = Path.GetDirectoryName(place.File)!;
        Directory.Move(folder, folder + ".away");
        await RefusedAsync(Words);
        Directory.Move(folder + ".away", folder);
        Assert.Equal(1, await KeepAsync("first", 2));

        File.Delete(place.File);
        await RefusedAsync(Words);
        Assert.False(File.Exists(place.File));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_was_committed_is_in_the_file_once_it_is_seen_that_the_log_is_gone(bool isReaderFirst)
    {
        await KeepAsync("first", 1);
        File.Delete(place.File + "-wal");
        if (isReaderFirst) await Assert.ThrowsAsync<StorageException>(ReadAsync);
        else await RefusedAsync(LogWords);

        // As it is found after kill -9.
        using var left = new SqlitePlace();
        Directory.CreateDirectory(Path.GetDirectoryName(left.File)!);
        File.Copy(place.File, left.File);
        using (var after = Database.Open(left.Options, TimeProvider.System))
            Assert.Equal([1], await after.Mailings.SecretAsync("first", () => [9], Cancel));
        await RefusedAsync(LogWords);
    }

    [Fact]
    public async Task Who_only_reads_sees_it_too()
    {
        for (var i = 0; i < 2; i++) await ReadAsync();
        File.Delete(place.File + "-wal");
        await RefusedAsync(LogWords);
    }

    [Fact]
    public async Task Another_log_in_its_place_is_none_of_ours()
    {
        await KeepAsync("first", 1);
        File.Delete(place.File + "-wal");
        await File.WriteAllTextAsync(place.File + "-wal", "", Cancel);
        await RefusedAsync(LogWords);
        var beside = Assert.ThrowsAny<StorageException>(() => Database.Examine(place.Options, TimeSpan.FromSeconds(1), TimeProvider.System, new JobTables("hangfire", 1, [])));
        Assert.StartsWith($"The file {place.File}-wal, which belongs to the database, was moved or deleted while another program uses the database.", beside.Message, StringComparison.Ordinal);
    }

    // Another process would share other memory, and not know of our places in the log.
    [Fact]
    public async Task Nothing_is_committed_or_carried_over_without_the_memory_that_others_share()
    {
        await KeepAsync("first", 1);
        File.Delete(place.File + "-shm");
        await RefusedAsync(MemoryWords);
        await File.WriteAllTextAsync(place.File + "-shm", "", Cancel);
        await RefusedAsync(MemoryWords);

        var log = await File.ReadAllBytesAsync(place.File + "-wal", Cancel);
        database.Dispose();
        Assert.Equal(log, await File.ReadAllBytesAsync(place.File + "-wal", Cancel));
        database = Database.Open(place.Options, TimeProvider.System);
        Assert.Equal(1, await KeepAsync("first", 9));
    }

    [Fact]
    public async Task Who_comes_while_the_file_is_away_makes_no_other_and_leaves_the_log()
    {
        await KeepAsync("first", 1);
        var away = place.File + ".away";
        File.Move(place.File, away);
        var log = await File.ReadAllBytesAsync(place.File + "-wal", Cancel);

        var opened = Assert.Throws<StorageException>(() => Database.Open(place.Options, TimeProvider.System));
        var examined = Assert.Throws<StorageException>(() => Database.Examine(place.Options, TimeSpan.FromSeconds(1), TimeProvider.System, new JobTables("hangfire", 1, [])));
        Assert.Equal(
            $"The database {place.File} was moved or deleted: its log weeklydigest.db-wal alone is there, with what was sent last. Put that file back and start again. To put a backup in its place, or to begin with an empty database, stop every weeklydigest that uses it and move weeklydigest.db-wal and -shm away first.",
            opened.Message);
        Assert.Equal((opened.Message, false), (examined.Message, examined.IsAway));
        Assert.Equal(log, await File.ReadAllBytesAsync(place.File + "-wal", Cancel));
        Assert.False(File.Exists(place.File));

        File.Move(away, place.File);
        Assert.Equal(1, await KeepAsync("first", 9));
    }

    private async Task<int> KeepAsync(string name, byte value) => (await database.Mailings.SecretAsync(name, () => [value], Cancel))[0];

    private Task<RecoveredRows> WriteAsync() => database.Ledger.RecoverAsync("nobody", OnUncertain.Hold, TimeProvider.System.GetUtcNow(), Cancel);

    private Task<IReadOnlyList<ClaimHolder>> ReadAsync() => database.Ledger.HoldersAsync(Cancel);

    private async Task RefusedAsync(string words)
    {
        foreach (var use in new Func<Task>[] { WriteAsync, ReadAsync })
        {
            var failure = await Assert.ThrowsAsync<StorageException>(use);
            Assert.Equal((words, false, false), (failure.Message, failure.IsLasting, failure.IsAway));
        }
    }
}
