using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace Hangfire.Storage.SQLite.Database;

/// <summary>The database as the rest of the storage uses it: one connection that writes, one transaction at a time, and some that read beside it.</summary>
internal sealed class JobDatabase : IDisposable
{
    private readonly JobFile file;
    private readonly int idleReaders;
    private readonly Session writer;
    private readonly Lock turn = new();
    private readonly ConcurrentBag<Session> idle = [];
    private volatile bool disposed;
    private volatile bool moved;

    private JobDatabase(JobFile file, Session writer, int idleReaders) => (this.file, this.writer, this.idleReaders) = (file, writer, idleReaders);

    /// <summary>The file's full path.</summary>
    public string Path => file.Path;

    /// <summary>Opens the file, creating and migrating it as needed.</summary>
    /// <exception cref="SQLiteStorageException">It cannot be used; says why and what to do.</exception>
    public static JobDatabase Open(string nameOrConnectionString, SQLiteStorageOptions options)
    {
        var file = JobFile.Prepare(nameOrConnectionString, options.BusyTimeout);
        try
        {
            using (var look = file.Open()) Schema.RefuseForeign(look, file.Path);
            var writer = file.OpenWriter(options.AutoVacuumSelected.ToString());
            try
            {
                Schema.Upgrade(writer);
            }
            catch
            {
                writer.Dispose();
                throw;
            }
            return new JobDatabase(file, writer, options.PoolSize);
        }
        catch (SqliteException failure)
        {
            throw Trouble.Explain(failure, file.Path);
        }
    }

    /// <summary>Does the work in one transaction.</summary>
    /// <param name="work">The work; when it says false, all of it is taken back.</param>
    /// <param name="mustSurvivePowerFailure">False for what is worth nothing after a power failure: claims, locks, signs of life.</param>
    /// <returns>Whether it was committed.</returns>
    /// <exception cref="SQLiteStorageException">The database refused; nothing was changed.</exception>
    public bool TryWrite(Func<Session, bool> work, bool mustSurvivePowerFailure = true)
    {
        lock (turn)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            try
            {
                return writer.Transact(work, mustSurvivePowerFailure);
            }
            catch (SqliteException failure)
            {
                throw Trouble.Explain(failure, file.Path);
            }
        }
    }

    /// <summary>Does the work in one transaction.</summary>
    /// <inheritdoc cref="TryWrite"/>
    public T Write<T>(Func<Session, T> work, bool mustSurvivePowerFailure = true)
    {
        T result = default!;
        TryWrite(session =>
        {
            result = work(session);
            return true;
        }, mustSurvivePowerFailure);
        return result;
    }

    /// <summary>Reads what was committed before, at one point in time.</summary>
    /// <exception cref="SQLiteStorageException">The database refused.</exception>
    public T Read<T>(Func<Session, T> look)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (moved) return ReadByWriter(look);
        var session = idle.TryTake(out var open) ? open : file.OpenReader();
        try
        {
            var result = session.Look(look);
            Return(session);
            return result;
        }
        catch (Exception failure)
        {
            session.Dispose();
            if (failure is SqliteException refusal) throw Trouble.Explain(refusal, file.Path);
            throw;
        }
    }

    /// <summary>
    /// Looks whether the file was moved, deleted or replaced while it is open. Then everything goes on with what is open, over the one connection that
    /// surely has it: another would open what stands there now.
    /// </summary>
    /// <returns>True the first time that it is so.</returns>
    public bool NoticeMove()
    {
        if (moved || !turn.TryEnter()) return false;
        try
        {
            moved = !disposed && writer.HasMoved;
        }
        finally
        {
            turn.Exit();
        }
        if (!moved) return false;
        while (idle.TryTake(out var session)) session.Dispose();
        return true;
    }

    /// <summary>Gives some free pages at the end of the file back to the disk; only in a file that was made to shrink.</summary>
    public void Shrink()
    {
        lock (turn)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            writer.Execute("PRAGMA incremental_vacuum(10000)");
        }
    }

    /// <summary>A connection of the caller's own that cannot write.</summary>
    public Session OpenReader() => file.OpenReader();

    /// <summary>Closes all connections; the writer's not when it hangs behind another program's lock: closing would hang with it, and the system closes at the end of the process.</summary>
    public void Dispose()
    {
        if (disposed) return;
        disposed = true;
        while (idle.TryTake(out var session)) session.Dispose();
        if (!turn.TryEnter(TimeSpan.FromSeconds(1))) return;
        writer.Dispose();
        turn.Exit();
    }

    private T ReadByWriter<T>(Func<Session, T> look)
    {
        lock (turn)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            try
            {
                return writer.Look(look);
            }
            catch (SqliteException failure)
            {
                throw Trouble.Explain(failure, file.Path);
            }
        }
    }

    private void Return(Session session)
    {
        if (disposed || moved || idle.Count >= idleReaders) session.Dispose();
        else idle.Add(session);
    }
}
