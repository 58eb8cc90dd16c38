using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace WeeklyDigest.Benchmarks;

/// <summary>An installation in a temporary folder: one issue whose message has 37 KB, and a list of as many subscribers as asked for.</summary>
internal sealed class BenchmarkFolder : IDisposable
{
    /// <summary>The issue's name.</summary>
    public const string Issue = "week-1";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("weeklydigest-benchmark-");
    private readonly Dictionary<string, string> settings = [];

    public BenchmarkFolder()
    {
        Directory.CreateDirectory(PathOf("issues"));
        File.WriteAllText(PathOf("issues/week-1.md"), IssueText.Write());
        Set("Newsletter:Name", "Weekly Digest").Set("Newsletter:From", "digest@digest.example").Set("Newsletter:PostalAddress", "1 Example Street")
            .Set("Newsletter:BaseUrl", "https://digest.example").Set("Paths:TemplateCache", PathOf("compiled-templates"));
    }

    /// <summary>A path in the folder.</summary>
    public string PathOf(string name) => Path.Combine(folder.FullName, name);

    /// <summary>Sets a setting.</summary>
    public BenchmarkFolder Set(string key, object value)
    {
        settings[key.Replace(":", "__", StringComparison.Ordinal)] = FormattableString.Invariant($"{value}");
        return this;
    }

    /// <summary>Sends through a port of this machine.</summary>
    public BenchmarkFolder UseRelay(int port, int connections)
        => Set("Smtp:Relays:0:Host", "127.0.0.1").Set("Smtp:Relays:0:Port", port).Set("Smtp:Relays:0:Security", "none")
            .Set("Smtp:Relays:0:Connections", connections).Set("Smtp:Relays:0:MessagesPerConnection", 0);

    /// <summary>Signs with a new key of RSA-2048.</summary>
    public void Sign()
    {
        using var key = RSA.Create(2048);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var file = new StreamWriter(PathOf("dkim.pem"), options)) file.Write(key.ExportPkcs8PrivateKeyPem());
        Set("Dkim:Keys:0:Selector", "wd1").Set("Dkim:Keys:0:PrivateKeyFile", PathOf("dkim.pem"));
    }

    /// <summary>Writes the subscribers as a CSV file.</summary>
    public string WriteList(int subscribers)
    {
        using var file = new StreamWriter(PathOf("list.csv"), append: false, new UTF8Encoding(false));
        file.WriteLine("email,name");
        for (var i = 1; i <= subscribers; i++) file.WriteLine(FormattableString.Invariant($"subscriber{i:D7}@reader.example,Subscriber {i}"));
        return PathOf("list.csv");
    }

    /// <summary>Forgets all but issue, settings and compiled templates.</summary>
    public void Reset()
    {
        if (Directory.Exists(PathOf("data"))) Directory.Delete(PathOf("data"), recursive: true);
    }

    /// <summary>Runs the program to its end.</summary>
    /// <returns>What it printed.</returns>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public async Task<string> RunAsync(params string[] arguments)
    {
        var start = Program(arguments);
        start.Environment["DOTNET_STARTUP_HOOKS"] = typeof(BenchmarkFolder).Assembly.Location;
        start.Environment[Sample.FileVariable] = PathOf("samples");
        return await Processes.RunAsync(start);
    }

    /// <summary>Starts the program; what it prints is thrown away.</summary>
    public Process Start(params string[] arguments)
    {
        var process = Process.Start(Program(arguments)) ?? throw new InvalidOperationException("The program did not start.");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    /// <summary>What the last run used, over time.</summary>
    public IReadOnlyList<Sample> Samples() => Sample.ReadAll(PathOf("samples"));

    public void Dispose() => folder.Delete(recursive: true);

    private ProcessStartInfo Program(string[] arguments)
    {
        var start = new ProcessStartInfo(InstalledProgram.Path, arguments)
        {
            WorkingDirectory = folder.FullName, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var (name, value) in settings) start.Environment[name] = value;
        return start;
    }
}
