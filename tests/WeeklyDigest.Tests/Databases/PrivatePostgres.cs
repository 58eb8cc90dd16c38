using System.Diagnostics;
using System.Globalization;
using Npgsql;
using WeeklyDigest.Tests.Smtp.Postfix;

namespace WeeklyDigest.Tests.Databases;

/// <summary>
/// A real PostgreSQL on loopback, of Debian's package, with a data folder of its own, in a time zone far from UTC and of no whole hours. When the
/// tests run as root it is started as nobody (uid 65534), which PostgreSQL insists on; otherwise as the user who runs them.
/// </summary>
internal sealed class PrivatePostgres : IDisposable
{
    public const string Username = "digest";

    public const string Password = "correct horse; battery 'staple'";

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    // Ends the server when our end of its standard input closes: also when the tests themselves were killed.
    private const string Guarded = "\"$@\" & server=$!; cat >/dev/null; kill -INT $server; wait $server";

    private static readonly string[] Settings =
        ["TimeZone=Asia/Kathmandu", "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200", "shared_buffers=64MB"];

    // The small disk is the server's own: it is gone with it, and others reach it through the server's /proc entry.
    private const string OnSmallDisk = "mkdir -p \"$0\" && mount -t tmpfs -o size=40m,mode=0700$1 tmpfs \"$0\" && shift && exec \"$@\"";

    private readonly string folder = Directory.CreateTempSubdirectory("weeklydigest-postgres-").FullName;
    private readonly bool hasSmallDisk;
    private Process? process;
    private int databases;

    /// <summary>Makes a data folder and starts the server.</summary>
    /// <param name="hasSmallDisk">Whether it has a disk of 40 MB beside it, in memory.</param>
    public PrivatePostgres(bool hasSmallDisk = false)
    {
        this.hasSmallDisk = hasSmallDisk;
        Port = LoopbackPort.Free();
        File.WriteAllText(Path.Combine(folder, "password"), Password);
        if (Environment.IsPrivilegedProcess) Run("chown", "-R", "65534:65534", folder);
        Run([.. AsNobody, Program("initdb"), "-D", Data, "-U", Username, "--pwfile", Path.Combine(folder, "password"), "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]);
        Start();
    }

    /// <summary>Its port on 127.0.0.1; the same after a restart.</summary>
    public int Port { get; }

    /// <summary>Where the server finds its small disk, for a tablespace.</summary>
    public string SmallDisk => Path.Combine(folder, "small");

    private string Data => Path.Combine(folder, "data");

    private string Master => File.ReadLines(Path.Combine(Data, "postmaster.pid")).First();

    private string[] Children => File.ReadAllText($"/proc/{Master}/task/{Master}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private string Log => Path.Combine(folder, "log");

    private string[] WithSmallDisk => ["unshare", .. Environment.IsPrivilegedProcess ? Array.Empty<string>() : ["--map-current-user", "--keep-caps"], "--mount", "sh", "-c", OnSmallDisk, SmallDisk, Environment.IsPrivilegedProcess ? ",uid=65534,gid=65534" : ""];

    private static string[] AsNobody => Environment.IsPrivilegedProcess ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [];

    /// <summary>Starts it, and waits until it answers.</summary>
    public void Start()
    {
        var settings = Settings.Append($"port={Port}").SelectMany(setting => new[] { "-c", setting });
        string[] server = [.. hasSmallDisk ? WithSmallDisk : [], .. AsNobody, Program("postgres"), "-D", Data, .. settings];
        var start = new ProcessStartInfo("bash", ["-c", $"exec 2>>{Log} >&2; {Guarded}", "bash", .. server]) { RedirectStandardInput = true };
        process = Command.Start(start);
        var started = TimeProvider.System.GetTimestamp();
        while (!Answers())
        {
            if (process.HasExited || TimeProvider.System.GetElapsedTime(started) > Limit) throw new InvalidOperationException($"PostgreSQL did not start:\n{File.ReadAllText(Log)}");
            Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System).GetAwaiter().GetResult();
        }
    }

    /// <summary>Stops it: connections are cut, what was not committed is rolled back.</summary>
    public void Stop()
    {
        if (process is null) return;
        process.StandardInput.Close();
        process.WaitForExit();
        process.Dispose();
        process = null;
    }

    /// <summary>Ends it as a crash does: nothing is written down, the next start recovers from the log.</summary>
    public void Crash()
    {
        Run("kill", "-QUIT", Master);
        Stop();
    }

    /// <summary>Lets it hang: it keeps its connections, accepts others, and answers none.</summary>
    public void Freeze() => Run(["kill", "-STOP", Master, .. Children]);

    /// <summary>Lets it go on.</summary>
    public void Thaw() => Run(["kill", "-CONT", Master, .. Children]);

    /// <summary>A path on the small disk, as others reach it while the server runs.</summary>
    public string OnDisk(string name) => $"/proc/{Master}/root{Path.Combine(SmallDisk, name)}";

    /// <summary>Makes a database.</summary>
    /// <param name="like">The one to copy; null: an empty one.</param>
    /// <returns>The connection string that leads there.</returns>
    public string CreateDatabase(string? like = null)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"test_{Interlocked.Increment(ref databases)}");
        Execute($"CREATE DATABASE {name}" + (like is null ? "" : $" TEMPLATE {like}"));
        return ConnectionString(name);
    }

    /// <summary>Removes the database a connection string leads to, and cuts the connections to it.</summary>
    public void Drop(string connectionString) => Execute($"DROP DATABASE {new NpgsqlConnectionStringBuilder(connectionString).Database} WITH (FORCE)");

    /// <summary>How to reach a database as the server's own administrator.</summary>
    public string ConnectionString(string database) => new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1", Port = Port, Database = database, Username = Username, Password = Password,
    }.ConnectionString;

    /// <summary>Runs statements in a database.</summary>
    public void Execute(string sql, string database = "postgres")
    {
        using var connection = new NpgsqlConnection(ConnectionString(database) + ";Pooling=false");
        connection.Open();
        using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        command.ExecuteNonQuery();
    }

    /// <summary>The first column of the first row.</summary>
    public T Scalar<T>(string sql, string database)
    {
        using var connection = new NpgsqlConnection(ConnectionString(database) + ";Pooling=false");
        connection.Open();
        using var command = new NpgsqlCommand(sql, connection);
        return (T)command.ExecuteScalar()!;
    }

    public void Dispose()
    {
        Stop();
        Directory.Delete(folder, recursive: true);
    }

    private bool Answers()
    {
        try
        {
            Execute("SELECT 1");
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    private static string Program(string name)
    {
        const string Versions = "/usr/lib/postgresql";
        var found = Directory.Exists(Versions) ? Directory.GetDirectories(Versions).OrderByDescending(path => int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture)) : null;
        return found?.Select(path => Path.Combine(path, "bin", name)).FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException($"PostgreSQL's {name} is missing; tests/debian-packages.txt lists what the tests need.");
    }

    private static void Run(params string[] command)
    {
        using var process = Command.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true });
        var complaints = process.StandardError.ReadToEndAsync();
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{string.Join(' ', command)} failed with {process.ExitCode}: {complaints.Result}");
    }
}
