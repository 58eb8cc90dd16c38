using System.Runtime.InteropServices;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;
using WeeklyDigest.Smtp;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>A disk that is full when a process writes down what it hands over: nobody's attempt is counted for it, and no relay is blamed.</summary>
public sealed class UnwrittenNoteTests
{
    private const string Words = "What is handed over to relays cannot be written down, so nothing is: No space left on device";

    [Fact]
    public async Task Without_room_for_the_notes_nothing_is_begun_and_the_run_says_why()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only there is a device that is always full.");
        await using var place = EnginePlace.Open();
        var mailing = await place.PublishAsync(20);
        var process = place.StartOver(WithNotesIn(place, Full(place), FileMode.Open));
        await EndsWithTheWordsAsync(place, process, mailing);
        Assert.Equal(0, place.Server.AcceptedCount);
    }

    [Fact]
    public async Task A_note_that_cannot_be_written_any_more_gives_its_delivery_back_and_ends_the_run()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only there is a device that is always full.");
        FileStream? notes = null;
        await using var place = EnginePlace.Open(moment =>
        {
            if (moment is { Stage: SmtpStage.RcptTo, Recipient: "r5@example.org" }) FillUp(notes!);
            return SmtpMove.Accept;
        });
        var mailing = await place.PublishAsync(20);
        var process = place.StartOver(WithNotesIn(place, Path.Combine(place.DataFolder, "notes"), FileMode.CreateNew, file => notes = file));
        await EndsWithTheWordsAsync(place, process, mailing);
        Assert.InRange(place.Server.AcceptedCount, 1, 19);
        await place.ReconcileAsync(mailing);
    }

    private static RelayOptions WithNotesIn(EnginePlace place, string path, FileMode mode, Action<FileStream>? opened = null)
    {
        place.TakeOwner = folder =>
        {
            var locks = Directory.CreateDirectory(Path.Combine(folder, "locks")).FullName;
            var file = new FileStream(path, mode, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
            opened?.Invoke(file);
            return new ProcessOwner(locks, "here/1/full", file);
        };
        return EnginePlace.Relay("test", place.Server);
    }

    private static async Task EndsWithTheWordsAsync(EnginePlace place, EngineProcess process, long mailing)
    {
        var failure = await Assert.ThrowsAnyAsync<IOException>(() => process.RunAsync(mailing));
        Assert.StartsWith(Words, failure.Message, StringComparison.Ordinal);
        Assert.True(FolderTrouble.IsFullDisk(failure));
        var balance = await place.BalanceAsync(mailing);
        Assert.Equal((balance.Sent, 20 - balance.Sent), (balance.Attempts, balance.Pending));
        Assert.All(await place.DeliveriesAsync(mailing), row => Assert.True(row.State == DeliveryState.Sent || row.Reply is null, row.Reply));
        Assert.Empty(process.Warnings);
    }

    // A link, for the file is removed with its process.
    private static string Full(EnginePlace place) => File.CreateSymbolicLink(Path.Combine(place.DataFolder, "full"), "/dev/full").FullName;

    // From now on the same handle leads to the device.
    private static void FillUp(FileStream file)
    {
        using var full = File.OpenHandle("/dev/full", FileMode.Open, FileAccess.ReadWrite);
        Assert.NotEqual(-1, Redirect((int)full.DangerousGetHandle(), (int)file.SafeFileHandle.DangerousGetHandle()));
    }

    [DllImport("libc", EntryPoint = "dup2")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Redirect(int from, int to);
}
