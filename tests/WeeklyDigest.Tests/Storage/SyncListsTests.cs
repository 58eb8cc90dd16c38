using System.IO.Pipes;
using System.Net.Sockets;
using System.Text;
using Microsoft.Win32.SafeHandles;
using WeeklyDigest.Audience;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Storage;

public sealed class SyncListsTests : StorageSuite<SqlitePlace>
{
    private readonly TemporaryFolder folder = new();

    public override void Dispose()
    {
        base.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task New_and_changed_files_are_imported_once()
    {
        Put("readers.csv", "email,name\nann@example.org,Ann\n");
        Put("Guests.CSV", "email\nguest@example.org\nnobody\n");

        var reports = await Sync();

        Assert.Equal(["Guests.CSV", "readers.csv"], reports.Select(report => Path.GetFileName(report.Path)));
        Assert.Equal(["guests", "readers"], reports.Select(report => report.List?.Value));
        Assert.All(reports, report => Assert.Equal((new ImportCounts(1, 0, 0, 0), null), (report.Counts, report.Refusal)));
        Assert.Equal([new RowProblem(3, "'nobody' is not an address: it has no @.")], reports[0].Problems);
        Assert.Equal(1, reports[0].ProblemCount);

        Assert.Empty(await Sync());
        Put("readers.csv", "email,name\nann@example.org,Ann\nben@example.org,Ben\n");
        Assert.Equal(new ImportCounts(1, 0, 1, 0), Assert.Single(await Sync()).Counts);
        Put("readers.csv", "email,name\nann@example.org,Ann\n");
        Assert.Equal(new ImportCounts(0, 0, 1, 0), Assert.Single(await Sync()).Counts);
        Assert.Equal([new ListSummary(List("guests"), 1, 1), new ListSummary(List("readers"), 2, 2)], await Subscribers.ListsAsync(Cancel));
    }

    [Fact]
    public async Task A_file_that_cannot_be_used_is_refused_every_time_and_keeps_no_other_back()
    {
        Put("a.csv", "name\nAnn\n");
        Put("b b.csv", "email\nann@example.org\n");
        Put("b\uFFFEb.csv", "email\nann@example.org\n");
        Put("c.csv", "email\nann@example.org\n");
        Put("C.csv", "email\nann@example.org\n");
        Put("~$c.csv", "lock");
        Put("notes.txt", "no list");

        Assert.Equal(5, (await Sync()).Count);
        var reports = await Sync();

        Assert.Equal(
            [
                "a.csv: Line 1: no column is named 'email'; found: name. The first line has to name the columns, separated by commas or semicolons: email,name",
                "b b.csv: The file's name is no list name. Use 1 to 64 letters, digits, dots, dashes and underscores before .csv.",
                "b\uFFFEb.csv: The file's name is no list name. Use 1 to 64 letters, digits, dots, dashes and underscores before .csv.",
                "c.csv: The list 'c' is read from C.csv already. Give one of the files another name.",
            ],
            reports.Select(report => $"{Path.GetFileName(report.Path)}: {report.Refusal}"));
        Assert.Equal(["c"], (await Subscribers.ListsAsync(Cancel)).Select(list => list.Name.Value));
    }

    [Fact]
    public async Task A_file_without_a_usable_row_is_refused_and_one_without_rows_is_an_empty_list()
    {
        Put("readers.csv", "name,email\nann@example.org,Ann\nben@example.org,Ben\n");
        Put("empty.csv", "email\n");

        var reports = await Sync();

        Assert.Equal([(List("empty"), null), (List("readers"), "No row can be used (2 skipped). The first, line 2: 'Ann' is not an address: it has no @.")],
            reports.Select(report => (report.List!, report.Refusal)));
        Assert.Equal([new ListSummary(List("empty"), 0, 0)], await Subscribers.ListsAsync(Cancel));
    }

    [Fact]
    public async Task What_would_be_refused_is_found_without_importing_anything()
    {
        var sync = new SyncLists(Subscribers, folder.Path, Clock);
        Put("good.csv", "email\nann@example.org\n");
        Put("known.csv", "email\nann@example.org\n");
        await sync.RunAsync(WantedLists.Only(List("known")), Cancel);
        Put("open.csv", "email\nann@example.org\n\"ben@example.org");
        Put("b b.csv", "email\nann@example.org\n");

        Assert.Equal(
            ["b b.csv: The file's name is no list name. Use 1 to 64 letters, digits, dots, dashes and underscores before .csv.",
                "open.csv: Line 3: the quotation mark that opens here is never closed."],
            (await sync.RefusedAsync(WantedLists.Every, Cancel)).Select(report => $"{Path.GetFileName(report.Path)}: {report.Refusal}"));
        Assert.Equal(["open.csv"], (await sync.RefusedAsync(WantedLists.Only(List("open"), List("good")), Cancel)).Select(report => Path.GetFileName(report.Path)));
        Assert.Empty(await sync.RefusedAsync(WantedLists.Only(List("good")), Cancel));
        Assert.Equal(["known"], (await Subscribers.ListsAsync(Cancel)).Select(list => list.Name.Value));
        Assert.Equal(["good", "known", "open"], sync.Names.Select(name => name.Value));
    }

    [Fact]
    public async Task Only_the_first_thousand_problems_are_kept_but_all_are_counted()
    {
        Put("readers.csv", "email\nann@example.org\n" + string.Join('\n', Enumerable.Repeat("nobody", 1500)));
        var report = Assert.Single(await Sync());
        Assert.Equal((1000, 1500L), (report.Problems.Count, report.ProblemCount));
    }

    [Fact]
    public async Task One_file_is_imported_from_anywhere_or_refused()
    {
        var sync = new SyncLists(Subscribers, folder.File("none"), Clock);
        Assert.Empty(await sync.RunAsync(WantedLists.Every, Cancel));
        Put("any name.txt", "email;name\nann@example.org;Ann\n");
        var report = await sync.ImportAsync(folder.File("any name.txt"), List("readers"), folder.Path, Cancel);
        Assert.Equal((List("readers"), 1L), (report.List, report.Counts.Added));

        Put("broken.csv", "email\nann@example.org\n\"ben@example.org");
        var path = folder.File("broken.csv");
        var refusal = await Assert.ThrowsAsync<RefusedException>(() => sync.ImportAsync(path, List("guests"), folder.Path, Cancel));
        Assert.Equal($"{path}: Line 3: the quotation mark that opens here is never closed.", refusal.Message);
        Assert.Equal(["readers"], (await Subscribers.ListsAsync(Cancel)).Select(list => list.Name.Value));
        await Assert.ThrowsAsync<RefusedException>(() => sync.ImportAsync(folder.File("missing.csv"), List("guests"), folder.Path, Cancel));
    }

    [Theory]
    [InlineData("ben@example.o", "rg\n", "The file is being written, and its last line had no end yet. Nothing of it was read in; try again when it is whole.")]
    [InlineData("ben@example.org\n", "cid@example.org\n", null)]
    [InlineData("ben@example.org", "", null)]
    public void A_file_that_grows_while_it_is_read_is_refused_when_its_last_line_was_cut(string last, string more, string? refusal)
    {
        var path = folder.File("readers.csv");
        Put("readers.csv", "email\nann@example.org\n" + last);
        using var file = File.OpenRead(path);
        using var rows = ListFolder.Rows(file, _ => { }).GetEnumerator();
        Assert.True(rows.MoveNext());
        using (var writer = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite)) writer.Write(Encoding.UTF8.GetBytes(more));

        Assert.True(rows.MoveNext());
        if (refusal is null) Assert.False(rows.MoveNext());
        else Assert.Equal(refusal, Assert.Throws<FormatException>(() => rows.MoveNext()).Message);
    }

    [Fact]
    public void What_comes_through_a_pipe_is_read_as_it_is()
    {
        using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        using var end = pipe.ClientSafePipeHandle;
        using var file = new FileStream(new SafeFileHandle(end.DangerousGetHandle(), ownsHandle: false), FileAccess.Read);
        pipe.Write("email\nann@example.org\nben@example.org"u8);
        pipe.Dispose();
        Assert.Equal(["ann@example.org", "ben@example.org"], ListFolder.Rows(file, _ => { }).Select(row => row.Address.Value));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Nothing_waits_for_who_writes_slowly_into_a_pipe_and_no_copy_is_left(bool isGivenUp)
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("A pipe with a name is made by Linux alone.");
        var (pipe, copies) = (folder.File("pipe"), folder.File("copies"));
        NamedPipe.Make(pipe);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var importing = Task.Run(() => new SyncLists(Subscribers, folder.File("none"), Clock).ImportAsync(pipe, List("readers"), copies, stop.Token), Cancel);
        using var writer = new FileStream(pipe, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        writer.Write("email,name\nann@example.org,Ann\n"u8);

        await Eventually.HoldsAsync(() => Directory.Exists(copies), "what comes is copied");
        await Import("others", "ben@example.org").WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        await Eventually.HoldsAsync(() => !Directory.EnumerateFileSystemEntries(copies).Any(), "the copy has no name any more, though what comes is still being written to it");
        if (isGivenUp)
        {
            await stop.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => importing.WaitAsync(TimeSpan.FromSeconds(30), Cancel));
        }
        // Who gave up may have closed the pipe, or still be reading it: then the writer's end ends that.
        if (!isGivenUp) writer.Write("cid@example.org,Cid\n"u8);
        writer.Dispose();
        if (!isGivenUp) Assert.Equal(2, (await importing).Counts.Added);
        Assert.Empty(Directory.EnumerateFileSystemEntries(copies));
    }

    [Theory]
    [InlineData("look")]
    [InlineData("refused")]
    [InlineData("run")]
    public async Task A_file_that_is_being_uploaded_is_waited_for_and_read_whole(string use)
    {
        var (path, clock) = (folder.File("readers.csv"), new WaitingClock());
        Put("readers.csv", "email\nann@example.org\nben@ex.am");
        File.SetLastWriteTimeUtc(path, clock.GetUtcNow().UtcDateTime);
        clock.WhileWaiting = now =>
        {
            Put("readers.csv", "name,email\nAnn,ann@example.org\nBen,ben@ex.ample.org\n");
            File.SetLastWriteTimeUtc(path, (now - TimeSpan.FromSeconds(1)).UtcDateTime);
        };
        var sync = new SyncLists(Subscribers, folder.Path, clock);

        Assert.Equal(2, Assert.Single(await sync.ChangedAsync(WantedLists.Every, Cancel)).Rows);
        Assert.Equal(TimeSpan.Zero, clock.Waited);
        if (use == "look") Assert.Null(await ListFolder.ProblemOfAsync(path, clock, Cancel));
        if (use == "refused") Assert.Empty(await sync.RefusedAsync(WantedLists.Every, Cancel));
        if (use == "run") await sync.RunAsync(WantedLists.Every, Cancel);

        Assert.Equal(TimeSpan.FromMilliseconds(250), clock.Waited);
        Assert.Equal(use == "run" ? ["ann@example.org", "ben@ex.ample.org"] : [], (await Subscribers.ExportAsync(null, _ => { }, Cancel).ToListAsync(Cancel)).Select(row => row.Address.Value));
    }

    [Fact]
    public async Task Who_names_a_file_to_be_imported_does_not_wait()
    {
        var clock = new WaitingClock();
        Put("any.csv", "email\nann@example.org");
        File.SetLastWriteTimeUtc(folder.File("any.csv"), clock.GetUtcNow().UtcDateTime);
        Assert.Equal(1, (await new SyncLists(Subscribers, folder.Path, clock).ImportAsync(folder.File("any.csv"), List("readers"), folder.Path, Cancel)).Counts.Added);
        Assert.Equal(TimeSpan.Zero, clock.Waited);
    }

    [Fact]
    public async Task What_is_no_regular_file_is_refused_before_it_is_opened()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Pipes and devices are told from files on Linux alone.");
        NamedPipe.Make(folder.File("a.csv"));
        File.CreateSymbolicLink(folder.File("b.csv"), folder.File("a.csv"));
        File.CreateSymbolicLink(folder.File("c.csv"), "/dev/zero");
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(folder.File("d.csv")));
        Put("data/e", "email\nann@example.org\n");
        File.CreateSymbolicLink(folder.File("e.csv"), folder.File("data/e"));

        var reports = await Task.Run(Sync, Cancel).WaitAsync(TimeSpan.FromSeconds(30), Cancel);

        Assert.Equal(
            ["a.csv: It is a pipe, and no regular file.", "b.csv: It is a pipe, and no regular file.", "c.csv: It is a device, and no regular file.", "d.csv: It is a socket, and no regular file.", "e.csv: "],
            reports.Select(report => $"{Path.GetFileName(report.Path)}: {report.Refusal}"));
        Assert.Equal("It is a pipe, and no regular file.", await ListFolder.ProblemOfAsync(folder.File("b.csv"), Clock, Cancel));
    }

    private void Put(string name, string text) => folder.Write(name, text);

    private Task<IReadOnlyList<ListFileReport>> Sync() => new SyncLists(Subscribers, folder.Path, Clock).RunAsync(WantedLists.Every, Cancel);
}
