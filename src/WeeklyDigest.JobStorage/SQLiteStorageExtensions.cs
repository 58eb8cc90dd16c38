namespace Hangfire.Storage.SQLite;

/// <summary>Makes Hangfire keep its jobs in a SQLite file.</summary>
public static class SQLiteStorageExtensions
{
    /// <summary>Keeps the jobs in <c>Hangfire.db</c> in the current folder.</summary>
    /// <param name="configuration">Hangfire's configuration.</param>
    /// <exception cref="SQLiteStorageException">The file cannot be used; says why and what to do.</exception>
    public static IGlobalConfiguration<SQLiteStorage> UseSQLiteStorage(this IGlobalConfiguration configuration) => configuration.UseSQLiteStorage("Hangfire.db");

    /// <summary>Keeps the jobs in a file.</summary>
    /// <param name="configuration">Hangfire's configuration.</param>
    /// <param name="nameOrConnectionString">The path of the file, created if it is not there; or a connection string with Data Source.</param>
    /// <param name="options">How the storage behaves; null: the defaults.</param>
    /// <exception cref="SQLiteStorageException">The file cannot be used; says why and what to do.</exception>
    public static IGlobalConfiguration<SQLiteStorage> UseSQLiteStorage(
        this IGlobalConfiguration configuration, string nameOrConnectionString, SQLiteStorageOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(nameOrConnectionString);
        return configuration.UseStorage(new SQLiteStorage(nameOrConnectionString, options ?? new SQLiteStorageOptions()));
    }
}
