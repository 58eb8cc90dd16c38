using System.Collections.Concurrent;
using System.Globalization;

namespace WeeklyDigest.Publishing;

/// <summary>
/// The name under which this process claims deliveries, and the proof that it lives: a file locked for as long as the process does. The
/// operating system releases the lock even on kill -9, so that others see at once who is dead, whatever the clock says.
/// </summary>
public sealed class ProcessOwner : IDisposable
{
    private const int MaxNames = 20;

    private readonly string folder;
    private readonly FileStream held;

    private readonly AwaitedAnswers awaited = new();
    private readonly ConcurrentStack<Handovers.Note> idleNotes = new();
    private readonly Lock gate = new();
    private int notes;

    /// <summary>A process with this name, and its file.</summary>
    internal ProcessOwner(string folder, string name, FileStream held) => (this.folder, Name, this.held) = (folder, name, held);

    /// <summary>Machine, process id and a random part, separated by slashes.</summary>
    public string Name { get; }

    /// <summary>The machine's part of it.</summary>
    public string Machine => Name[..Name.IndexOf('/', StringComparison.Ordinal)];

    /// <summary>Takes a fresh name and locks its file <c>{dataFolder}/locks/{name}</c>.</summary>
    /// <exception cref="RefusedException">The data folder cannot be written.</exception>
    public static ProcessOwner Take(string dataFolder)
    {
        try
        {
            return TakeIn(dataFolder);
        }
        catch (Exception failure) when (!FolderTrouble.IsFullDisk(failure) && failure is IOException or UnauthorizedAccessException && FolderTrouble.Of(LocksOf(dataFolder)) is { } trouble)
        {
            throw new RefusedException($"This process cannot be announced in the data folder: {trouble.What}. {trouble.Advice(dataFolder)}");
        }
    }

    // Under another name when others tidied this one away.
    private static ProcessOwner TakeIn(string dataFolder)
    {
        for (var names = 1; ; names++)
        {
            if (TryTakeIn(dataFolder, mayFail: names < MaxNames) is { } owner) return owner;
        }
    }

    private static ProcessOwner? TryTakeIn(string dataFolder, bool mayFail)
    {
        var folder = LocksOf(dataFolder);
        PrivateFolder.Create(folder);
        var name = string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName}/{Environment.ProcessId}/{Guid.NewGuid().ToString("n")[..12]}");
        if (TryLockNew(PathOf(folder, name), mayFail) is not { } held) return null;
        Handovers.Begin(held.SafeFileHandle);
        return new ProcessOwner(folder, name, held);
    }

    // Making a file and locking it are two steps: who looks at it in between takes it for a dead one's, and may remove it.
    private static FileStream? TryLockNew(string path, bool mayFail)
    {
        FileStream held;
        try
        {
            held = Lock(path, FileMode.CreateNew);
        }
        catch (IOException failure) when (mayFail && !FolderTrouble.IsFullDisk(failure))
        {
            Remove(path);
            return null;
        }
        if (File.Exists(path)) return held;
        held.Dispose();
        return null;
    }

    /// <summary>A note for a connection; to be given back when its outcomes are in the ledger, and only then.</summary>
    /// <exception cref="UnwrittenNoteException">There is no room for another.</exception>
    internal Handovers.Note TakeNote()
    {
        lock (gate)
        {
            if (idleNotes.TryPop(out var idle)) return idle;
            var note = Handovers.At(held.SafeFileHandle, notes, awaited);
            notes++;
            return note;
        }
    }

    /// <summary>Gives a note back.</summary>
    internal void Return(Handovers.Note note) => idleNotes.Push(note);

    /// <summary>What a dead process of this machine handed over; null when nothing is known of it.</summary>
    /// <exception cref="IOException">Another process reads it, or has settled what was left.</exception>
    internal Handovers? HandoversOf(string owner)
    {
        using var file = Lock(PathOf(folder, ProcessPart(owner)), FileMode.Open);
        return Handovers.Read(file);
    }

    /// <summary>The owner of one mailing's claims in this process.</summary>
    internal string ForRun(long mailingId) => string.Create(CultureInfo.InvariantCulture, $"{Name}/{mailingId}");

    /// <summary>Whether an owner belongs to this process.</summary>
    internal bool IsOurs(string owner) => owner.StartsWith(Name + "/", StringComparison.Ordinal);

    /// <summary>What can be said about the process behind an owner.</summary>
    /// <param name="owner">An owner as <see cref="ForRun"/> makes them.</param>
    /// <returns>Unknown for a process that has no lock file here: another machine's.</returns>
    internal OwnerLife LifeOf(string owner) => IsOurs(owner) ? OwnerLife.Alive : LifeOfFile(PathOf(folder, ProcessPart(owner)));

    /// <summary>The same, for who is no owner itself.</summary>
    /// <param name="dataFolder">The data folder.</param>
    /// <param name="owner">An owner.</param>
    internal static OwnerLife LifeOf(string dataFolder, string owner) => LifeOfFile(PathOf(LocksOf(dataFolder), ProcessPart(owner)));

    /// <summary>The folder of the lock files in a data folder.</summary>
    public static string LocksOf(string dataFolder) => Path.Combine(dataFolder, "locks");

    /// <summary>The processes that work with a data folder now, on this machine, by their names.</summary>
    public static IReadOnlyList<string> Living(string dataFolder)
    {
        var folder = LocksOf(dataFolder);
        return Directory.Exists(folder) ? [.. Directory.EnumerateFiles(folder).Where(path => LifeOfFile(path) == OwnerLife.Alive).Select(path => Path.GetFileName(path).Replace('_', '/')).Order(StringComparer.Ordinal)] : [];
    }

    /// <summary>Removes the files of dead processes of which nothing is left in the ledger.</summary>
    /// <param name="dead">Their owners.</param>
    /// <param name="holders">Owners that hold something there.</param>
    internal void Forget(IEnumerable<string> dead, IEnumerable<string> holders)
        => ForgetAllBut([.. dead.Select(owner => PathOf(folder, ProcessPart(owner)))], holders);

    /// <summary>The files of dead processes: what they left can only become less.</summary>
    internal IReadOnlyList<string> FilesOfDead() => [.. Directory.EnumerateFiles(folder).Where(path => LifeOfFile(path) == OwnerLife.Dead)];

    /// <summary>Removes those of these files whose process left nothing.</summary>
    /// <param name="files">As <see cref="FilesOfDead"/> found them.</param>
    /// <param name="holders">Owners that held something in the ledger after that.</param>
    internal void ForgetAllBut(IReadOnlyList<string> files, IEnumerable<string> holders)
    {
        foreach (var file in files.Except(holders.Select(holder => PathOf(folder, ProcessPart(holder))))) Remove(file);
    }

    /// <summary>Removes the file: the name is not used again. Where an outcome could not be written to the ledger, the file stays for the next process.</summary>
    public void Dispose()
    {
        // Removed while still locked, so that nobody takes it for a dead one's in between.
        if (idleNotes.Count == notes && File.Exists(held.Name)) File.Delete(held.Name);
        held.Dispose();
    }

    private static OwnerLife LifeOfFile(string path)
    {
        if (!File.Exists(path)) return OwnerLife.Unknown;
        try
        {
            using var taken = Lock(path, FileMode.Open);
            return OwnerLife.Dead;
        }
        catch (Exception failure) when (failure is FileNotFoundException or UnauthorizedAccessException)
        {
            // Gone meanwhile; or another user's, of whom only the lease tells.
            return OwnerLife.Unknown;
        }
        catch (IOException)
        {
            return OwnerLife.Alive;
        }
    }

    // Under its lock: its process may not have had it yet when it was looked at.
    private static void Remove(string path)
    {
        try
        {
            new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose).Dispose();
        }
        catch (IOException)
        {
            // It lives after all, or is gone; or another process has it in hand.
        }
    }

    private static FileStream Lock(string path, FileMode mode) => new(path, mode, FileAccess.ReadWrite, FileShare.None);

    private static string ProcessPart(string owner) => owner[..owner.LastIndexOf('/')];

    private static string PathOf(string folder, string name) => Path.Combine(folder, name.Replace('/', '_'));
}

/// <summary>What is known of the process behind a claim.</summary>
internal enum OwnerLife
{
    /// <summary>Its lock file is held.</summary>
    Alive,

    /// <summary>Its lock file could be taken.</summary>
    Dead,

    /// <summary>It has no lock file here; only its lease tells.</summary>
    Unknown,
}
