using Hangfire.Storage.SQLite.Database;

namespace Hangfire.Storage.SQLite.Owners;

/// <summary>This process, as others see it in the database: what it holds hangs on its row, and goes with it.</summary>
/// <param name="folder">Where processes keep the files that show that they live.</param>
internal sealed class Owner(string folder) : IDisposable
{
    private const string Suffix = "-owners";

    private OwnerFile? file;
    private string? name;
    private long id;

    /// <summary>Where processes keep the files that show that they live.</summary>
    public string Folder => folder;

    /// <summary>Where processes that share a database file keep theirs.</summary>
    public static string FolderOf(string databasePath) => databasePath + Suffix;

    /// <summary>The database that such a folder belongs to.</summary>
    public static string DatabaseOf(string folder) => folder[..^Suffix.Length];

    /// <summary>The name in our row, and in no other; empty before we held anything.</summary>
    public string Name => Volatile.Read(ref name) ?? "";

    /// <summary>Our row, written if it is not there: not yet, or not any more because others took us for dead. Part of the caller's writing transaction.</summary>
    public long IdIn(Session session)
    {
        if (name is null)
        {
            file = OwnerFile.Take(folder);
            Volatile.Write(ref name, file?.Name ?? Guid.NewGuid().ToString("N"));
        }
        if (id == 0 || !session["IsOwner"].With("@owner", id).With("@name", name).Any())
            id = session["AddOwner"].With("@name", name).RunForId() ?? 0;
        return id;
    }

    /// <summary>Lets go of everything, in an orderly end.</summary>
    public void Leave(JobDatabase database)
    {
        if (Name.Length > 0) database.Write(session => session["RemoveOwner"].With("@name", Name).Run(), mustSurvivePowerFailure: false);
    }

    /// <inheritdoc/>
    public void Dispose() => file?.Dispose();
}
