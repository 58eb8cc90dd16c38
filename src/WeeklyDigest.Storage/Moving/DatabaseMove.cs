using Microsoft.Data.Sqlite;
using WeeklyDigest.Storage.Postgres;
using WeeklyDigest.Storage.Sqlite;

namespace WeeklyDigest.Storage.Moving;

/// <summary>
/// Carries a SQLite installation over to an empty PostgreSQL database: every table, whichever there are, streamed in one transaction and
/// read back before it is committed. From just before that the file refuses to be used, so that nobody sends from both.
/// </summary>
public static class DatabaseMove
{
    /// <summary>Moves.</summary>
    /// <param name="from">A SQLite installation that nothing works on: its file stays locked meanwhile.</param>
    /// <param name="to">A PostgreSQL database without an installation in it; or with this one, when an earlier move was cut off.</param>
    /// <param name="jobs">The tables that the jobs will have on the server: without them no server starts there.</param>
    /// <param name="progress">Told now and then.</param>
    /// <param name="cancel">Stops; the target is as it was.</param>
    /// <exception cref="StorageException">One of them cannot be used, the target is not empty, or what was read back differs; nothing was moved.</exception>
    public static async Task<MoveReport> RunAsync(StorageOptions from, StorageOptions to, JobTables jobs, IProgress<MoveProgress> progress, CancellationToken cancel)
    {
        var file = SqliteFile.Prepare(from.ConnectionString);
        using var server = PostgresServer.Prepare(to.ConnectionString, "--connection");
        PostgresJobTables.RequireUsable(server, jobs);
        SqliteMigrations.Apply(file, movingTo: server.Place.ToString());
        PostgresMigrations.Apply(server);
        try
        {
            using var source = file.OpenWriter();
            // Held to the end: nothing is added to the file while it is carried over, and the mark at the end is of the same transaction.
            SqliteFile.Execute(source, "BEGIN IMMEDIATE");
            // Another move may have held it until now, and have carried everything somewhere else.
            SqliteMigrations.Look(source, file.Path, movingTo: server.Place.ToString());
            return await new MoveRun(source, progress, cancel).RunAsync(server);
        }
        catch (SqliteException failure)
        {
            throw SqliteTrouble.Explain(failure, file.Path);
        }
        catch (Exception failure) when (PostgresTrouble.IsTrouble(failure))
        {
            throw server.Explain(failure);
        }
    }
}

/// <summary>How far a move is.</summary>
/// <param name="Table">The table.</param>
/// <param name="IsCheck">Whether it is being read back; else written.</param>
/// <param name="Done">Rows so far, of all tables.</param>
/// <param name="Total">Rows to write and to read back, of all tables.</param>
public sealed record MoveProgress(string Table, bool IsCheck, long Done, long Total);

/// <summary>What was moved, and its proof.</summary>
/// <param name="Tables">Each table, in the order it was written.</param>
/// <param name="States">Deliveries by state, counted on both sides alike.</param>
/// <param name="WasMovedBefore">Whether the target held all of it already: an earlier move was cut off after its commit.</param>
public sealed record MoveReport(IReadOnlyList<MovedTable> Tables, IReadOnlyDictionary<string, long> States, bool WasMovedBefore);

/// <summary>A table that is the same on both sides.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Rows">Its rows.</param>
/// <param name="Checksum">SHA-256 of all values in the order of the key, in hex.</param>
public sealed record MovedTable(string Name, long Rows, string Checksum);
