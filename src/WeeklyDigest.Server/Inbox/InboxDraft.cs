namespace WeeklyDigest.Server.Inbox;

/// <summary>A message on its way in: a file in <c>tmp/</c> that nobody lists. Disposing removes it unless it was moved into place.</summary>
internal sealed class InboxDraft : IDisposable
{
    private readonly FileStream file;
    private readonly string folder;

    private InboxDraft(string folder, string path)
    {
        this.folder = folder;
        file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 64 * 1024);
    }

    /// <summary>Starts a file in the folder's <c>tmp/</c>.</summary>
    /// <exception cref="IOException">The disk is full or the folder is not writable.</exception>
    public static InboxDraft Start(string folder) => new(folder, Path.Combine(TempFolder(folder), Guid.NewGuid().ToString("n")));

    /// <summary>Where drafts lie.</summary>
    public static string TempFolder(string folder) => Path.Combine(folder, "tmp");

    public void Write(ReadOnlySpan<byte> bytes) => file.Write(bytes);

    /// <summary>Forces the bytes to the disk. Dying here leaves a file in tmp/ that the next start removes; the client got no answer.</summary>
    public void Flush()
    {
        file.Flush(flushToDisk: true);
        file.Dispose();
    }

    /// <summary>Gives the flushed file its name. Dying after this and before the answer leaves a message whose sender does not know of it.</summary>
    public void MoveIntoPlace(InboxId id) => File.Move(file.Name, Path.Combine(folder, id.Text + ".eml"));

    public void Dispose()
    {
        // What a full disk did not take is written once more here, in vain: whoever wrote it was told. The file goes all the same.
        Try(file.Dispose);
        Try(() => File.Delete(file.Name));
    }

    private static void Try(Action step)
    {
        try
        {
            step();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Nothing is lost with it: a file that is left in tmp/ goes with a later start.
        }
    }
}
