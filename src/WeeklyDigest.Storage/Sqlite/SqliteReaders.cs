using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace WeeklyDigest.Storage.Sqlite;

/// <summary>Open connections that only read; under WAL they neither wait for the writer nor hold it up.</summary>
internal sealed class SqliteReaders(SqliteFile file, SqliteWriter writer) : IDisposable
{
    private readonly ConcurrentBag<SqliteConnection> idle = [];
    private volatile bool disposed;

    /// <summary>Reads off the caller's thread: SQLite's own calls are synchronous.</summary>
    public Task<T> ReadAsync<T>(Func<SqliteConnection, T> read, CancellationToken cancel) => Task.Run(() => Read(read), cancel);

    /// <inheritdoc/>
    public void Dispose()
    {
        disposed = true;
        while (idle.TryTake(out var connection)) writer.Presence.Close(connection);
    }

    private T Read<T>(Func<SqliteConnection, T> read)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        // One that is opened now would open what stands there now.
        writer.RequirePresence();
        var connection = idle.TryTake(out var open) ? open : file.OpenReader();
        try
        {
            var result = read(connection);
            Return(connection);
            return result;
        }
        catch (Exception failure)
        {
            writer.Presence.Close(connection);
            if (failure is not SqliteException trouble) throw;
            throw writer.Presence.Trouble() ?? SqliteTrouble.Explain(trouble, file.Path);
        }
    }

    private void Return(SqliteConnection connection)
    {
        idle.Add(connection);
        if (disposed) Dispose();
    }
}
