using System.Data;
using Microsoft.Data.Sqlite;
using WeeklyDigest.Storage;
using WeeklyDigest.Storage.Sqlite;

namespace WeeklyDigest.Tests.Storage;

public sealed class SqliteFileTests : IDisposable
{
    private readonly SqlitePlace place = new();

    public void Dispose() => place.Dispose();

    [Fact]
    public async Task A_database_is_created_once_with_its_folder_and_opened_again()
    {
        using (var first = Open())
            await first.Mailings.SecretAsync("links", () => [7], TestContext.Current.CancellationToken);
        using var second = Open("Data Source=" + place.File);
        Assert.Equal([7], await second.Mailings.SecretAsync("links", () => [8], TestContext.Current.CancellationToken));
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(place.File));
    }

    [Fact]
    public void A_disk_without_room_for_the_files_beside_the_database_is_called_full()
    {
        var failure = SqliteTrouble.Explain(new SqliteException("SQLite Error 10: 'disk I/O error'.", 10, extendedErrorCode: 4874), place.File);
        Assert.Equal($"The disk with the database {place.File} is full: make room. Until then nothing new is kept.", failure.Message);
        Assert.False(failure.IsLasting);
    }

    [Fact]
    public void The_writer_is_durable_and_checks_references()
    {
        using var database = Open();
        using var writer = SqliteFile.Prepare(place.File).OpenWriter();
        Assert.Equal("wal", SqliteFile.Scalar(writer, "PRAGMA journal_mode"));
        Assert.Equal(2L, SqliteFile.Scalar(writer, "PRAGMA synchronous"));
        Assert.Equal(1L, SqliteFile.Scalar(writer, "PRAGMA foreign_keys"));
        Assert.Throws<SqliteException>(() => SqliteFile.Execute(writer, "INSERT INTO membership (list_id, subscriber_id) VALUES (1, 1)"));
        Assert.Throws<SqliteException>(() => SqliteFile.Execute(writer, "INSERT INTO list (name, created_at) VALUES ('a', 'yesterday')"));
    }

    [Fact]
    public void What_a_writer_keeps_in_memory_is_large_for_an_import_only()
    {
        using var database = Open();
        using var writer = SqliteFile.Prepare(place.File).OpenWriter();
        Assert.Equal(-4096L, SqliteFile.Scalar(writer, "PRAGMA cache_size"));
        SqliteFile.KeepPages(writer, isLarge: true);
        Assert.Equal(-16384L, SqliteFile.Scalar(writer, "PRAGMA cache_size"));
        SqliteFile.KeepPages(writer, isLarge: false);
        Assert.Equal(-4096L, SqliteFile.Scalar(writer, "PRAGMA cache_size"));
    }

    [Fact]
    public void Checks_and_references_are_left_out_for_the_length_of_the_work_only_and_what_is_unique_never()
    {
        const string subscriber = "INSERT INTO subscriber (address, status, created_at, updated_at) VALUES ('a@b.example', 'away', 0, 0)";
        using var database = Open();
        using var writer = SqliteFile.Prepare(place.File).OpenWriter();
        const string member = "INSERT INTO membership (list_id, subscriber_id) VALUES (7, 7)";
        Refused();
        SqliteFile.Trusting(writer, () => Run(writer, member));
        Assert.Throws<SqliteException>(() => SqliteFile.Trusting(writer, () => Run(writer, subscriber) + Run(writer, subscriber)));
        SqliteFile.Execute(writer, "DELETE FROM subscriber; DELETE FROM membership;");
        Refused();

        void Refused() => Assert.All([subscriber, member], sql => Assert.Throws<SqliteException>(() => SqliteFile.Execute(writer, sql)));

        static int Run(SqliteConnection connection, string sql)
        {
            SqliteFile.Execute(connection, sql);
            return 1;
        }
    }

    [Fact]
    public void A_reader_cannot_write()
    {
        using var database = Open();
        using var reader = SqliteFile.Prepare(place.File).OpenReader();
        Assert.Throws<SqliteException>(() => SqliteFile.Execute(reader, "DELETE FROM list"));
    }

    [Fact]
    public async Task A_reader_with_which_something_failed_is_closed_whatever_that_was()
    {
        using var database = Open();
        var file = SqliteFile.Prepare(place.File);
        using var writer = new SqliteWriter(file);
        using var readers = new SqliteReaders(file, writer);
        SqliteConnection? used = null;
        await Assert.ThrowsAsync<FormatException>(() => readers.ReadAsync<int>(
            connection =>
            {
                used = connection;
                throw new FormatException();
            },
            TestContext.Current.CancellationToken));
        Assert.Equal(ConnectionState.Closed, used!.State);
    }

    [Theory]
    [InlineData("hello")]
    [InlineData("This is a letter to the editor, and it is longer than the header of a database, which has one hundred bytes, so that nobody takes it for one.")]
    public void A_file_that_is_no_database_is_refused_and_left_alone(string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(place.File)!);
        File.WriteAllText(place.File, text);
        Refused($"The file {place.File} is not a database. Put a backup in its place; if there never was a database here, move it away.");
        Assert.Equal(text, File.ReadAllText(place.File));
    }

    [Fact]
    public void Another_programs_database_is_refused_and_left_alone()
    {
        Change("CREATE TABLE recipe (name TEXT)", create: true);
        var before = File.ReadAllBytes(place.File);
        Refused($"The database {place.File} belongs to another program. Set Storage:ConnectionString to a file of its own.");
        Assert.Equal(before, File.ReadAllBytes(place.File));
    }

    [Fact]
    public void A_newer_schema_is_refused()
    {
        Open().Dispose();
        Change("INSERT INTO schema_version (ScriptName, Applied) VALUES ('0999-from-the-future', '2999-01-01')");
        Refused($"The database {place.File} was made by a newer version of this program (it has 0999-from-the-future). Use that version, or restore an older backup.");
    }

    [Fact]
    public void A_damaged_database_is_refused()
    {
        Open().Dispose();
        using (var file = File.OpenWrite(place.File))
        {
            file.Position = 100;
            file.Write(Enumerable.Repeat((byte)0xEE, (int)file.Length - 100).ToArray());
        }
        Assert.Contains($"The database {place.File} is damaged", Refusal(place.File), StringComparison.Ordinal);
    }

    [Fact]
    public void A_database_that_cannot_be_written_is_refused()
    {
        var readOnly = $"Data Source={place.File};Mode=ReadOnly";
        Assert.Equal($"The database {place.File} cannot be written. Make the file and its folder writable for this user.", Refusal(readOnly));
    }

    [Fact]
    public void A_place_where_no_file_can_be_made_is_refused()
    {
        Open().Dispose();
        var below = Path.Combine(place.File, "weeklydigest.db");
        var refusal = Refusal(below);
        Assert.Equal(
            $"The database {below} cannot be used: {place.File} is a file, where a folder has to be. Move it away, or for a new installation set Paths:Data, or Storage:ConnectionString for the database alone, to another place.",
            refusal);
        var folder = Path.GetDirectoryName(place.File)!;
        Assert.Equal($"The database {folder} is a folder, where a file has to be. Move it away; if there ever was a database here, put a backup in its place.", Refusal(folder));
    }

    [Theory]
    [InlineData("Data Source=:memory:", "Storage:ConnectionString 'Data Source=:memory:' names no file; give the path of the database file.")]
    [InlineData("", "Storage:ConnectionString '' names no file; give the path of the database file.")]
    public void A_connection_string_has_to_name_a_file(string connectionString, string message)
        => Assert.Equal(message, Refusal(connectionString));

    [Fact]
    public void An_unknown_connection_setting_is_refused_by_name()
        => Assert.StartsWith("Storage:ConnectionString cannot be read: ", Refusal("Data Source=a.db;Speed=High"), StringComparison.Ordinal);

    [Fact]
    public void Another_provider_is_refused()
    {
        var options = new StorageOptions { Provider = "oracle", ConnectionString = "Host=localhost" };
        var refusal = Assert.Throws<StorageException>(() => Database.Open(options, TimeProvider.System));
        Assert.Equal("Storage:Provider is 'oracle'; set it to sqlite or postgres.", refusal.Message);
    }

    [Fact]
    public async Task A_failure_in_the_middle_is_told_and_leaves_the_database_usable()
    {
        using var database = Open();
        Change("CREATE TRIGGER full BEFORE INSERT ON secret WHEN NEW.name = 'bad' BEGIN SELECT RAISE(ABORT, 'disk on fire'); END");
        var cancel = TestContext.Current.CancellationToken;
        var failure = await Assert.ThrowsAsync<StorageException>(() => database.Mailings.SecretAsync("bad", () => [1], cancel));
        Assert.Contains("disk on fire", failure.Message, StringComparison.Ordinal);
        Assert.Equal([2], await database.Mailings.SecretAsync("good", () => [2], cancel));
    }

    private Database Open(string? connectionString = null)
        => Database.Open(new StorageOptions { ConnectionString = connectionString ?? place.File }, TimeProvider.System);

    private string Refusal(string connectionString) => Assert.Throws<StorageException>(() => Open(connectionString).Dispose()).Message;

    private void Refused(string message) => Assert.Equal(message, Refusal(place.File));

    private void Change(string sql, bool create = false)
    {
        if (create) Directory.CreateDirectory(Path.GetDirectoryName(place.File)!);
        using var connection = new SqliteConnection($"Data Source={place.File};Pooling=False");
        connection.Open();
        SqliteFile.Execute(connection, sql);
    }
}
