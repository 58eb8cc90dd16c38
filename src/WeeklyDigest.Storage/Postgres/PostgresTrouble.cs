using System.ComponentModel;
using System.Security.Authentication;
using Npgsql;
using static Npgsql.PostgresErrorCodes;

namespace WeeklyDigest.Storage.Postgres;

/// <summary>PostgreSQL's error codes in words that say what to do (postgresql.org/docs: Appendix A).</summary>
internal static class PostgresTrouble
{
    // idle_in_transaction_session_timeout, which the driver has no name for.
    private const string StoodStill = "25P03";

    /// <summary>Whether a failure is the database's, not a mistake of ours.</summary>
    // A connection that was cut in the middle of an answer can leave the driver at odds with the server, which it tells as an exception of no type of its own.
    public static bool IsTrouble(Exception failure)
        => failure is NpgsqlException or TimeoutException or Win32Exception || (failure.GetType() == typeof(Exception) && failure.Source == nameof(Npgsql));

    /// <summary>Whether the same is likely to succeed at once: a deadlock's victim, or a connection that the server had ended.</summary>
    public static bool IsPassing(Exception failure) => failure switch
    {
        PostgresException refusal => refusal.SqlState is DeadlockDetected or SerializationFailure or AdminShutdown or CrashShutdown or StoodStill,
        NpgsqlException { InnerException: IOException } => true,
        _ => false,
    };

    /// <summary>Whether the server had ended the transaction before it was told to commit, because nothing was done in it for so long: nothing of it is kept.</summary>
    public static bool HasStoodStill(Exception failure) => failure is PostgresException { SqlState: StoodStill };

    /// <summary>The failure as a person can use it.</summary>
    /// <param name="failure">The failure.</param>
    /// <param name="place">Where it was met.</param>
    /// <param name="lacking">Which right the user lacks there, in a sentence with what to do; null when that was not asked or not found.</param>
    public static StorageException Explain(Exception failure, PostgresPlace place, string? lacking = null) => Told(failure) ?? new(
        failure switch
        {
            PostgresException { SqlState: InsufficientPrivilege } when lacking is not null => lacking,
            PostgresException refusal => Explain(refusal, place),
            NpgsqlException { InnerException: AuthenticationException } =>
                $"PostgreSQL on {place.Server} and this program agree on no TLS ({Reason(failure)}). Check the server's certificate, and SSL Mode, Root Certificate and Host in {place.Setting}.",
            _ when OffersNoTls(failure) =>
                $"PostgreSQL on {place.Server} offers no TLS, which SSL Mode in {place.Setting} asks for. Switch it on there (ssl = on in postgresql.conf), or set SSL Mode to Prefer if nobody else is on the network in between.",
            _ => $"{place.Capitalized} does not answer ({Reason(failure)}). Is PostgreSQL running there, and are Host and Port in {place.Setting} right?",
        },
        failure)
    {
        IsLasting = failure is PostgresException answer && !IsOfConnection(answer) && IsLasting(answer.SqlState),
        IsAway = failure switch
        {
            PostgresException refusal => refusal.SqlState is AdminShutdown or CrashShutdown or CannotConnectNow or TooManyConnections or DeadlockDetected or SerializationFailure or LockNotAvailable or DiskFull or StoodStill,
            NpgsqlException { InnerException: AuthenticationException } => false,
            _ => !OffersNoTls(failure),
        },
    };

    /// <summary>Whether a statement was refused by a server that goes on: nothing of it is kept. Its own word for that may be in any language.</summary>
    public static bool IsRefusal(PostgresException answer) => answer.InvariantSeverity == "ERROR";

    /// <summary>What is said of a database that takes no changes.</summary>
    public static string CanOnlyBeRead(PostgresPlace place) => $"{place.Capitalized} can only be read: is it a standby? Set Host in {place.Setting} to the primary.";

    // Of several hosts the driver tells what each one met, ours among it.
    private static StorageException? Told(Exception failure) => (failure.InnerException as AggregateException)?.InnerExceptions.OfType<StorageException>().FirstOrDefault();

    private static bool OffersNoTls(Exception failure)
        => failure is NpgsqlException { InnerException: null } && failure.Message.Contains("No SSL enabled connection", StringComparison.Ordinal);

    // What ends the connection, or does not let it begin, is about the server at this moment: on a full disk it says "could not write init file" (XX000).
    private static bool IsOfConnection(PostgresException answer) => answer.InvariantSeverity is "FATAL" or "PANIC";

    // By class: wrong data, a broken constraint, a statement it does not understand (whether the user may is another matter), damage.
    private static bool IsLasting(string code) => code[..2] is "22" or "23" or "42" or "XX" && code != InsufficientPrivilege;

    private static string Explain(PostgresException refusal, PostgresPlace place) => refusal.SqlState switch
    {
        InvalidPassword or InvalidAuthorizationSpecification =>
            $"PostgreSQL on {place.Server} does not let the user {place.User} in ({refusal.MessageText}). Check Username and Password in {place.Setting}, and the server's pg_hba.conf.",
        InvalidCatalogName => $"There is no database {place.Database} on {place.Server}. Create it (CREATE DATABASE \"{place.Database}\" OWNER \"{place.User}\" ENCODING 'UTF8'), or correct Database in {place.Setting}.",
        InsufficientPrivilege when IsOfParameter(refusal) =>
            $"The user {place.User} may not set what the connection asks for in {place} ({refusal.MessageText}). Take it out of Options in {place.Setting}, or let the user set it (GRANT SET ON PARAMETER … TO \"{place.User}\", from PostgreSQL 15 on).",
        InsufficientPrivilege => $"The user {place.User} may not do what is needed in {place} ({refusal.MessageText}). Let the user create there (GRANT CREATE ON DATABASE \"{place.Database}\" TO \"{place.User}\"), and let it own the schema {place.Schema} and all in it.",
        ReadOnlySqlTransaction => CanOnlyBeRead(place),
        TooManyConnections or ConfigurationLimitExceeded => $"PostgreSQL on {place.Server} has no connection left for us ({refusal.MessageText}). Raise {LimitMet(refusal, place)}, or set Maximum Pool Size in {place.Setting}.",
        DiskFull => $"The disk of {place} is full: make room. Until then nothing new is kept.",
        IoError => $"The disk of {place} fails ({refusal.MessageText}). Nothing of the last change was kept.",
        AdminShutdown or CrashShutdown or CannotConnectNow or DatabaseDropped => $"{place.Capitalized} is going down or coming up ({refusal.MessageText}).",
        DeadlockDetected or SerializationFailure or LockNotAvailable => $"{place.Capitalized} is too busy with other changes ({refusal.MessageText}). Nothing of the last change was kept.",
        StoodStill => $"{place.Capitalized} has ended a change in which this program stood still for too long ({refusal.MessageText}); nothing of it was kept. Was this machine asleep, or short of memory?",
        // The jobs' tables are another library's, and have other words.
        UndefinedTable or UndefinedColumn when place.Schema == PostgresServer.Schema => SchemaObjects.AreLost(place.Capitalized, refusal.MessageText),
        _ => $"{place.Capitalized} refused: {refusal.MessageText} ({refusal.SqlState}).",
    };

    // By the place in PostgreSQL's source, for the words may be in any language.
    private static bool IsOfParameter(PostgresException refusal) => refusal.Routine?.StartsWith("set_config", StringComparison.Ordinal) == true;

    private static string LimitMet(PostgresException refusal, PostgresPlace place) => refusal.Routine switch
    {
        "InitializeSessionUserId" => $"the user's limit there (ALTER ROLE \"{place.User}\" CONNECTION LIMIT …, -1 for none)",
        "CheckMyDatabase" => $"the database's limit there (ALTER DATABASE \"{place.Database}\" CONNECTION LIMIT …, -1 for none)",
        _ => "max_connections there",
    };

    private static string Reason(Exception failure) => (failure.InnerException ?? failure).Message.TrimEnd('.');
}
