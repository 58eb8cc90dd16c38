using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>What stands in a process's lock file; what a killed process leaves there is in RecoveryTests and the scenarios.</summary>
public sealed class HandoversTests : IDisposable
{
    private const int Page = 4096;

    private readonly TemporaryFolder folder = new();
    private readonly FileStream file;

    public HandoversTests()
    {
        file = new FileStream(folder.File("lock"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        Handovers.Begin(file.SafeFileHandle);
    }

    public void Dispose()
    {
        file.Dispose();
        folder.Dispose();
    }

    [Fact]
    public void A_note_lies_within_one_page_of_memory()
    {
        var begin = file.Length;
        for (var number = 0; number < 64; number++)
        {
            Write(number);
            Assert.Equal(begin / Page, (file.Length - 1) / Page);
            begin = file.Length;
        }
    }

    [Fact]
    public void What_is_written_is_read()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Elsewhere it is not known whether the machine was started anew, and nothing counts.");
        for (var number = 0; number < 20; number++) Write(number);
        file.Position = 0;
        var read = Handovers.Read(file)!;
        Assert.Equal(1, read.Awaiting);
        Assert.Null(read.Of(Delivery(0)));
        Assert.All(Enumerable.Range(1, 19), number => Assert.Equal((SendResult.Accepted, $"250 {number}", "main"), read.Of(Delivery(number)) is { } known ? (known.Result, known.Reply, known.Relay) : default));
        Assert.Equal(SendResult.NotStarted, read.Of(Delivery(20))!.Result);
    }

    [Fact]
    public void A_file_of_an_older_layout_says_nothing()
    {
        Write(1);
        file.Position = "handovers ".Length;
        file.Write("2"u8);
        file.Position = 0;
        Assert.Null(Handovers.Read(file));
    }

    private void Write(int number)
    {
        var note = Handovers.At(file.SafeFileHandle, number, new AwaitedAnswers());
        note.Take(Delivery(number), "main", givesWay: false);
        note.Leave();
        if (number > 0) note.Answer(new SendOutcome(SendResult.Accepted, $"250 {number}"));
    }

    private static Delivery Delivery(int number)
    {
        var reader = new Subscriber(number + 1, EnginePlace.Address("a@b.example"), null, new Dictionary<string, string>(), SubscriberStatus.Active, []);
        return new Delivery(new DeliveryId(1, number + 1), 1, 0, null, reader, 0, 1);
    }
}
