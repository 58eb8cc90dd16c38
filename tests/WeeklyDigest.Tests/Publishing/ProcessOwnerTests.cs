using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>A process's lock file, and others that tidy beside it.</summary>
public sealed class ProcessOwnerTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_name_is_taken_once_and_its_file_goes_with_it()
    {
        var other = ProcessOwner.Take(folder.Path);
        using (var one = ProcessOwner.Take(folder.Path))
        {
            Assert.NotEqual(one.Name, other.Name);
            Assert.Equal(OwnerLife.Alive, other.LifeOf(one.ForRun(7)));
            Assert.Equal(2, Directory.GetFiles(Path.Combine(folder.Path, "locks")).Length);
        }
        Assert.Single(Directory.GetFiles(Path.Combine(folder.Path, "locks")));
        Assert.Equal(OwnerLife.Unknown, other.LifeOf("machine/1/gone/7"));
        other.Dispose();
    }

    [Fact]
    public void The_file_of_a_dead_process_stays_while_there_is_something_left_of_another_of_its_mailings()
    {
        var dead = ProcessOwner.Take(folder.Path);
        dead.TakeNote();
        dead.Dispose();
        using (var other = ProcessOwner.Take(folder.Path))
        {
            other.Forget([dead.ForRun(1)], [dead.ForRun(2), other.ForRun(1)]);
            Assert.Equal(OwnerLife.Dead, other.LifeOf(dead.ForRun(2)));
            other.Forget([dead.ForRun(1), dead.ForRun(2)], [other.ForRun(1)]);
            Assert.Equal(OwnerLife.Unknown, other.LifeOf(dead.ForRun(2)));
        }
    }

    [Fact]
    public void A_file_whose_process_had_not_locked_it_yet_when_it_was_looked_at_stays()
    {
        using var tidier = ProcessOwner.Take(folder.Path);
        var path = Path.Combine(folder.Path, "locks", "here_1_beginning");
        File.WriteAllText(path, "");
        var seen = tidier.FilesOfDead();
        Assert.Equal([path], seen);

        using (new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None)) tidier.ForgetAllBut(seen, []);
        Assert.True(File.Exists(path));
        tidier.ForgetAllBut(seen, []);
        Assert.False(File.Exists(path));
    }

    [Fact]
    public async Task Processes_that_begin_while_others_tidy_have_their_files()
    {
        using var tidier = ProcessOwner.Take(folder.Path);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var tidying = Enumerable.Range(0, 2).Select(_ => Task.Run(
            () =>
            {
                while (!enough.IsCancellationRequested) tidier.ForgetAllBut(tidier.FilesOfDead(), []);
            },
            CancellationToken.None)).ToList();
        for (var i = 0; i < 4000; i++)
        {
            using var owner = ProcessOwner.Take(folder.Path);
            Assert.True(File.Exists(Path.Combine(folder.Path, "locks", owner.Name.Replace('/', '_'))), $"{i} begun before");
        }
        await enough.CancelAsync();
        await Task.WhenAll(tidying);
    }
}
