using WeeklyDigest.Server.Inbox;

namespace WeeklyDigest.Tests.Inbox;

/// <summary>An inbox in a temporary folder that goes away with it.</summary>
internal sealed class InboxFolder : IAsyncDisposable
{
    public InboxFolder()
    {
        Server = InboxServer.Start(Path, 0, TimeProvider.System);
        Store = new InboxStore(Path);
    }

    public string Path { get; } = Directory.CreateTempSubdirectory("inbox-").FullName;

    public InboxServer Server { get; }

    public InboxStore Store { get; }

    public int DraftCount => Directory.GetFiles(InboxDraft.TempFolder(Path)).Length;

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        Directory.Delete(Path, recursive: true);
    }
}
