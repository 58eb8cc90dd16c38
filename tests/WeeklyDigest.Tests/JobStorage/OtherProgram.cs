using Microsoft.Data.Sqlite;

namespace WeeklyDigest.Tests.JobStorage;

/// <summary>Another program at work on a database file.</summary>
internal sealed class OtherProgram : IDisposable
{
    private readonly SqliteConnection connection;

    /// <summary>Opens the file, creating it if need be, and runs a script; what it began ends with this object.</summary>
    public OtherProgram(string file, string script)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        connection = new SqliteConnection($"Data Source={file};Pooling=False");
        connection.Open();
        Run(script);
    }

    public void Run(string script)
    {
        using var command = connection.CreateCommand();
        command.CommandText = script;
        command.ExecuteNonQuery();
    }

    public void Dispose() => connection.Dispose();
}
