using Microsoft.Data.Sqlite;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Server;
using WeeklyDigest.Storage.Sqlite;
using static SQLitePCL.raw;

namespace WeeklyDigest.Tests.Web;

public sealed class LedgerWordsTests
{
    [Theory]
    [InlineData(SQLITE_FULL, "The disk with the database /data/weeklydigest.db is full: make room. Until then nothing new is kept.")]
    [InlineData(SQLITE_BUSY, "Another program has kept the database /data/weeklydigest.db busy for over 60 seconds; find and end it.")]
    public void Ask_for_what_somebody_has_to_do_and_for_nothing_that_goes_on_by_itself(int code, string words)
    {
        var trouble = SqliteTrouble.Explain(new SqliteException("", code), "/data/weeklydigest.db");

        Assert.Equal(
            $"The database has not been usable since 7 Jan 2026 08:30:00 UTC: {words} Nothing is sent meanwhile, and nothing is lost: "
                + "sending goes on by itself as soon as the database can be used, and nothing has to be started again.",
            Described(trouble));
    }

    [Fact]
    public void Promise_nothing_by_itself_where_somebody_has_to_start_again() => Assert.Equal(
        "The database has not been usable since 7 Jan 2026 08:30:00 UTC: The database x was moved. Put that file back and start again. Nothing is sent until then.",
        Described(new StorageException("The database x was moved. Put that file back and start again.") { NeedsRestart = true }));

    private static string Described(StorageException trouble) => LedgerWords.Describe(LedgerTrouble.Of(trouble, new DateTimeOffset(2026, 1, 7, 8, 30, 0, TimeSpan.Zero)));
}
