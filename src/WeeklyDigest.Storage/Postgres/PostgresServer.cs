using Dapper;
using Npgsql;

namespace WeeklyDigest.Storage.Postgres;

/// <summary>A PostgreSQL database and this process's connections to it. Every failure leaves here as a <see cref="StorageException"/>.</summary>
internal sealed class PostgresServer : IDisposable
{
    /// <summary>Where all tables are, so that the database can be shared with others.</summary>
    public const string Schema = "weeklydigest";

    private const int Tries = 3;

    private readonly NpgsqlDataSource source;

    private PostgresServer(NpgsqlConnectionStringBuilder settings, PostgresPlace place, string? application = null)
    {
        (Place, Application) = (place, settings.ApplicationName!);
        if (application is not null) settings.ApplicationName = application;
        source = new NpgsqlDataSourceBuilder(settings.ConnectionString)
            .UsePhysicalConnectionInitializer(connection => PostgresSetup.Require(connection, place), connection => PostgresSetup.RequireAsync(connection, place))
            .Build();
    }

    /// <summary>Database, server and user, for messages.</summary>
    public PostgresPlace Place { get; }

    /// <summary>The name with which servers and commands are there.</summary>
    public string Application { get; }

    /// <summary>The pool, for migrations. A connection of it leads to a database that is as it has to be; what is not is refused with a <see cref="StorageException"/>.</summary>
    public NpgsqlDataSource Source => source;

    /// <summary>Reads the connection string; nothing is connected yet.</summary>
    /// <exception cref="StorageException">It cannot be read.</exception>
    public static PostgresServer Prepare(string connectionString)
    {
        var settings = PostgresConnectionString.Read(connectionString);
        return new PostgresServer(settings, PostgresPlace.Of(settings));
    }

    /// <summary>The same for a connection string that stands in no setting; its sessions have a name of their own.</summary>
    /// <param name="connectionString">The connection string.</param>
    /// <param name="option">Where it was given, for messages.</param>
    /// <exception cref="StorageException">It cannot be read.</exception>
    public static PostgresServer Prepare(string connectionString, string option)
    {
        var settings = PostgresConnectionString.Read(connectionString);
        return new PostgresServer(settings, PostgresPlace.Of(settings) with { Setting = option }, "weeklydigest move");
    }

    /// <summary>A failure as a person can use it. Which right the user lacks is asked there: the refusal names one table, or no more than its schema.</summary>
    /// <param name="failure">The failure. The connection that met it is given back.</param>
    /// <param name="schema">Where the tables are that it is about.</param>
    public StorageException Explain(Exception failure, string schema = Schema)
    {
        var place = Place with { Schema = schema };
        return PostgresTrouble.Explain(failure, place, failure is PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege } ? Lacking(place) : null);
    }

    /// <summary>Does what may be done twice: a read, or one statement that finds out what it did before.</summary>
    public async Task<T> RunAsync<T>(Func<NpgsqlConnection, Task<T>> work, CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await using var connection = await source.OpenConnectionAsync(cancel);
                return await work(connection);
            }
            catch (Exception failure) when (PostgresTrouble.IsTrouble(failure))
            {
                if (!MayTryAgain(failure, attempt)) throw Explain(failure);
            }
        }
    }

    /// <summary>What time it is there.</summary>
    /// <exception cref="StorageException">It does not answer.</exception>
    public async Task<DateTimeOffset> TimeAsync(CancellationToken cancel) => await RunAsync(connection => connection.ExecuteScalarAsync<DateTime>(Queries.Get("Now")), cancel);

    /// <summary>Does the work in one transaction; when this returns, the change is on the server's disk.</summary>
    /// <param name="work">The work. It is done again from the start when the server chose it as the victim of a deadlock, or ended it because this process stood still in it.</param>
    /// <param name="cancel">Stops; nothing of the work is kept.</param>
    /// <param name="once">Whether the work cannot be done a second time.</param>
    /// <remarks>If we die before the commit returns, the database holds nothing of the work, or all of it.</remarks>
    public async Task<T> TransactAsync<T>(Func<NpgsqlConnection, Task<T>> work, CancellationToken cancel, bool once = false)
    {
        for (var attempt = once ? Tries : 1; ; attempt++)
        {
            var isCommitting = false;
            try
            {
                await using var connection = await source.OpenConnectionAsync(cancel);
                await using var transaction = await connection.BeginTransactionAsync(cancel);
                var result = await work(connection);
                isCommitting = true;
                await transaction.CommitAsync(CancellationToken.None);
                return result;
            }
            catch (Exception failure) when (PostgresTrouble.IsTrouble(failure))
            {
                // What broke in the commit may be committed: only the caller can know whether to do it again.
                if ((isCommitting && !PostgresTrouble.HasStoodStill(failure)) || !MayTryAgain(failure, attempt)) throw Explain(failure);
            }
        }
    }

    /// <summary>Does in one transaction what goes through a whole mailing or list, and takes as long as it takes, whatever time the server gives a statement of this user.</summary>
    /// <param name="work">The work, as for <see cref="TransactAsync"/>.</param>
    /// <param name="cancel">Stops; nothing of the work is kept.</param>
    /// <param name="once">Whether the work cannot be done a second time.</param>
    public Task<T> UnhurriedAsync<T>(Func<NpgsqlConnection, Task<T>> work, CancellationToken cancel, bool once = false)
        => TransactAsync(
            async connection =>
            {
                await connection.ExecuteAsync(Queries.Get("TakeTime"));
                return await work(connection);
            },
            cancel,
            once);

    /// <summary>Does what only one node may do at a time: making tables. Another node that starts at the same moment waits.</summary>
    public T Alone<T>(Func<T> work)
    {
        try
        {
            using var connection = source.OpenConnection();
            Execute(connection, Queries.Get("MakingTables"));
            try
            {
                return work();
            }
            finally
            {
                Execute(connection, Queries.Get("MadeTables"));
            }
        }
        catch (Exception failure) when (PostgresTrouble.IsTrouble(failure))
        {
            throw Explain(failure);
        }
    }

    /// <summary>Does what one node is enough for, unless another is about to do so at this moment. One that dies keeps the others away no longer, one that is frozen for seconds.</summary>
    /// <param name="work">The work; its exceptions are its own.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task TryAloneAsync(Func<Task> work, CancellationToken cancel)
    {
        var done = Task.CompletedTask;
        await TransactAsync(async connection =>
        {
            if (await connection.ExecuteScalarAsync<bool>(Queries.Get("TryTurn"))) await Task.WhenAny(done = work());
            return true;
        }, cancel, once: true);
        await done;
    }

    /// <summary>Runs a statement that returns nothing of interest.</summary>
    public static void Execute(NpgsqlConnection connection, string sql)
    {
        using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        command.ExecuteNonQuery();
    }

    /// <inheritdoc/>
    public void Dispose() => source.Dispose();

    private string? Lacking(PostgresPlace place)
    {
        try
        {
            using var connection = source.OpenConnection();
            return PostgresRights.Lacking(connection, place, place.Schema);
        }
        catch (Exception failure) when (failure is StorageException || PostgresTrouble.IsTrouble(failure))
        {
            return null;
        }
    }

    // A server that was restarted has ended every connection of the pool; the next one is new.
    private bool MayTryAgain(Exception failure, int attempt)
    {
        if (attempt >= Tries || !PostgresTrouble.IsPassing(failure)) return false;
        source.Clear();
        return true;
    }
}
