using System.Data.Common;
using Npgsql;

namespace WeeklyDigest.Storage.Postgres;

/// <summary>Reads a connection string for PostgreSQL, and says without any secret where it leads.</summary>
internal static class PostgresConnectionString
{
    // Of one process; a server allows a hundred in all by default.
    private const int Connections = 20;
    private const int LeastConnections = 5;
    private const int LeastBuffer = 4096;
    private const int PreparedStatements = 100;

    // Seconds. A server that lost its power, or a flow that a router forgot, says nothing: who waits for a long count would wait for ever.
    private const int SilentFor = 30;
    private const int AskedAgainAfter = 10;

    // What the server does about a node that stands still in the middle of a change, or is gone: else its locks, the gate of the marks among them, would keep every
    // node waiting. The first is for one that is frozen, after seconds; the others are for the network, where nothing is under way. COPY does not count as standing still.
    private const string Standstill = "-c idle_in_transaction_session_timeout=15s -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3";

    // That a commit which returned outlives a crash is what every promise hangs on. What a session begins with goes before the server's settings, the
    // database's and the user's, whenever they change, and is what the pool resets it to.
    private const string Durability = "-c synchronous_commit=on";

    private static readonly string[] KeepAliveKeys = ["TCP Keepalive", "TCP Keepalive Time", "TCP Keepalive Interval"];

    private const string Form = "write Host=…;Port=5432;Database=…;Username=…;Password=…";

    /// <summary>What is wrong with it, or null. Holds no part of it but names of keys that exist: what looks like a key may be half of a password.</summary>
    public static string? ProblemOf(string text)
    {
        if (text.Contains("://", StringComparison.Ordinal)) return $"is a URL; {Form}.";
        if (Parts(text) is not { } parts) return $"cannot be read; {Form}. A value with ; or ' in it stands in quotation marks.";
        var settings = new NpgsqlConnectionStringBuilder();
        var place = "at its beginning";
        foreach (var key in parts.Keys.Cast<string>())
        {
            if (!TrySet(settings, key, parts[key])) return $"cannot be read: what stands {place} is no setting, or has a value that does not fit; {Form}. A value with ; or ' in it stands in quotation marks.";
            place = $"after {key}";
        }
        if (string.IsNullOrEmpty(settings.Host)) return "names no server; write Host=… in it.";
        return string.IsNullOrEmpty(settings.Database) ? "names no database; write Database=… in it." : ProblemOf(settings);
    }

    // What the driver would find out much later, in words of its own.
    private static string? ProblemOf(NpgsqlConnectionStringBuilder settings)
    {
        if (settings.Port is < 1 or > 65535) return "has a Port that is none; write 1 to 65535.";
        if (settings.Multiplexing) return "sets Multiplexing, which cannot be used here: a transaction needs a connection of its own. Leave it out.";
        var most = settings.ShouldSerialize("Maximum Pool Size") ? settings.MaxPoolSize : Connections;
        if (most < LeastConnections) return $"has a Maximum Pool Size below {LeastConnections}, which is what one process needs; leave it out for {Connections}.";
        if (settings.MinPoolSize > most) return $"has a Minimum Pool Size over the {most} of Maximum Pool Size.";
        return settings.ReadBufferSize < LeastBuffer || settings.WriteBufferSize < LeastBuffer ? $"has a buffer below {LeastBuffer} bytes; leave Read Buffer Size and Write Buffer Size out." : null;
    }

    /// <summary>The settings of a connection: what is written, and our defaults.</summary>
    /// <exception cref="StorageException">It cannot be read.</exception>
    public static NpgsqlConnectionStringBuilder Read(string text)
    {
        if (ProblemOf(text) is { } problem) throw new StorageException("Storage:ConnectionString " + problem);
        var settings = new NpgsqlConnectionStringBuilder(text) { SearchPath = PostgresServer.Schema, IncludeErrorDetail = false, PersistSecurityInfo = false };
        // What is not written is not serialized; every setting there is counts as contained.
        if (!settings.ShouldSerialize("Maximum Pool Size")) settings.MaxPoolSize = Connections;
        if (!settings.ShouldSerialize("Max Auto Prepare")) settings.MaxAutoPrepare = PreparedStatements;
        if (!settings.ShouldSerialize("Application Name")) settings.ApplicationName = "weeklydigest";
        settings.Options = Before(settings, $"{Standstill} {Durability}");
        if (!IsSocketFile(settings.Host!) && !KeepAliveKeys.Any(settings.ShouldSerialize))
            (settings.TcpKeepAlive, settings.TcpKeepAliveTime, settings.TcpKeepAliveInterval) = (true, SilentFor, AskedAgainAfter);
        return settings;
    }

    /// <summary>What is written, for connections that are not ours; a commit is waited for as by ours.</summary>
    public static string KeepingCommits(string text)
    {
        var settings = new NpgsqlConnectionStringBuilder(text);
        settings.Options = Before(settings, Durability);
        return settings.ConnectionString;
    }

    // What is written comes behind ours, and holds.
    private static string Before(NpgsqlConnectionStringBuilder settings, string ours) => $"{ours} {settings.Options ?? Environment.GetEnvironmentVariable("PGOPTIONS")}".TrimEnd();

    // Of one of several hosts as well: the system refuses what is only for TCP.
    private static bool IsSocketFile(string hosts) => hosts.Split(',').Any(host => host.TrimStart() is ['/' or '@', ..]);

    private static DbConnectionStringBuilder? Parts(string text)
    {
        try
        {
            return new DbConnectionStringBuilder { ConnectionString = text };
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static bool TrySet(NpgsqlConnectionStringBuilder settings, string key, object value)
    {
        try
        {
            settings[key] = value;
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}

/// <summary>Where a database is.</summary>
/// <param name="Database">Its name.</param>
/// <param name="Server">Host and port.</param>
/// <param name="User">As whom we are there.</param>
internal sealed record PostgresPlace(string Database, string Server, string User)
{
    /// <summary>What has to be changed to get to another, in the words of who gave it.</summary>
    public string Setting { get; init; } = "Storage:ConnectionString";

    /// <summary>Where the tables are that it is about.</summary>
    public string Schema { get; init; } = PostgresServer.Schema;

    /// <summary>The place of a connection.</summary>
    public static PostgresPlace Of(NpgsqlConnectionStringBuilder settings)
        => new(settings.Database ?? "", FormattableString.Invariant($"{settings.Host}:{settings.Port}"), settings.Username ?? Environment.UserName);

    /// <summary>For messages: <c>the database news on db.example.com:5432</c>.</summary>
    public override string ToString() => $"the {Name}";

    /// <summary>The same at the beginning of a sentence.</summary>
    public string Capitalized => $"The {Name}";

    private string Name => $"database {Database} on {Server}";
}
