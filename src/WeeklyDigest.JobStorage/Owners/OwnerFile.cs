namespace Hangfire.Storage.SQLite.Owners;

/// <summary>
/// A file that a process keeps locked as long as it lives. The operating system releases the lock however the process ends, so that the others
/// on the machine see a death at once, whatever the clock says.
/// </summary>
internal sealed class OwnerFile : IDisposable
{
    private readonly FileStream held;

    private OwnerFile(string name, FileStream held) => (Name, this.held) = (name, held);

    /// <summary>The file's name, unique.</summary>
    public string Name { get; }

    /// <summary>Makes and locks a file.</summary>
    /// <param name="folder">Its folder; created if it is not there.</param>
    /// <returns>Null where files cannot be locked: then only the signs of life in the database tell.</returns>
    /// <exception cref="SQLiteStorageException">The file cannot be made.</exception>
    public static OwnerFile? Take(string folder)
    {
        var name = Guid.NewGuid().ToString("N");
        var path = Path.Combine(folder, name);
        try
        {
            Directory.CreateDirectory(folder);
            var file = new OwnerFile(name, Lock(path, FileMode.CreateNew));
            if (!IsAbandoned(folder, name)) return file;
            file.Dispose();
            return null;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new SQLiteStorageException(Words(folder, path, problem), problem);
        }
    }

    /// <summary>Whether the process that locked a file is dead for certain.</summary>
    /// <returns>False also when nothing can be said: there is no such file.</returns>
    public static bool IsAbandoned(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        if (!File.Exists(path)) return false;
        try
        {
            Lock(path, FileMode.Open).Dispose();
            return true;
        }
        catch (Exception refusal) when (refusal is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Removes a dead process's file, if this user may: one that stays is locked by nobody and stands for nothing.</summary>
    public static void Remove(string folder, string name) => Remove(Path.Combine(folder, name));

    /// <summary>Lets go of the file and removes it: the process holds nothing any more, and may as well be dead.</summary>
    public void Dispose()
    {
        held.Dispose();
        Remove(held.Name);
    }

    private static void Remove(string path)
    {
        try
        {
            // Its folder may have been taken away with the database.
            if (File.Exists(path)) File.Delete(path);
        }
        catch (Exception refusal) when (refusal is IOException or UnauthorizedAccessException)
        {
            // Another user's folder by now; who next has to make a file in it says so.
        }
    }

    // The folder is named as such: nobody looks for one beside a file.
    private static string Words(string folder, string path, Exception problem)
    {
        var database = $"The job database {Owner.DatabaseOf(folder)} cannot be used";
        if (File.Exists(folder)) return $"{database}: {folder} is a file, where a folder has to be. Move it away.";
        return problem is UnauthorizedAccessException && Directory.Exists(folder)
            ? $"{database}: the user {Environment.UserName} may not write in the folder {folder}, which belongs to it. Let that user write there (`chown -R {Environment.UserName} {folder}`)."
            : $"The file {path} cannot be made: {problem.Message} Make the folder of the job database writable for this user.";
    }

    private static FileStream Lock(string path, FileMode mode) => new(path, mode, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
}
