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
        var read = Read();
        Assert.Equal(1, read.Awaiting);
        Assert.Null(read.Of(Delivery(0)));
        Assert.All(Enumerable.Range(1, 19), number => Assert.Equal((SendResult.Accepted, $"250 {number}", "main"), read.Of(Delivery(number)) is { } known ? (known.Result, known.Reply, known.Relay) : default));
        Assert.Null(read.Of(Delivery(20)));
    }

    [Fact]
    public void A_note_tells_of_the_message_before_until_the_next_one_leaves()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Elsewhere it is not known whether the machine was started anew, and nothing counts.");
        var note = Write(1);
        note.Take(Delivery(2), "a relay with another name", canWait: false);
        Assert.Equal((SendResult.Accepted, "250 1", "main", SendResult.NotStarted), Two(1, 2));
        note.Leave();
        Assert.Equal((null, null, null, null), Two(1, 2));
        note.Answer(new SendOutcome(SendResult.Rejected, "550 No"));
        Assert.Equal((SendResult.Rejected, "550 No", "a relay with another name", null), Two(2, 1));
    }

    [Fact]
    public void One_that_has_not_left_is_named_until_the_one_after_the_next_is()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Elsewhere it is not known whether the machine was started anew, and nothing counts.");
        var note = Write(1);
        foreach (var number in new[] { 2, 3 }) note.Take(Delivery(number), "main", canWait: false);
        Assert.Equal((SendResult.NotStarted, SendResult.NotStarted), (Read().Of(Delivery(2))?.Result, Read().Of(Delivery(3))?.Result));
        note.Take(Delivery(4), "main", canWait: false);
        Assert.Null(Read().Of(Delivery(2)));
        note.Clear();
        Assert.All(Enumerable.Range(1, 4), number => Assert.Null(Read().Of(Delivery(number))));
        Assert.Equal(0, Read().Awaiting);
    }

    [Fact]
    public void A_file_of_an_older_layout_says_nothing()
    {
        Write(1);
        file.Position = "handovers ".Length;
        file.Write("3"u8);
        file.Position = 0;
        Assert.Null(Handovers.Read(file));
    }

    private Handovers.Note Write(int number)
    {
        var note = Handovers.At(file.SafeFileHandle, number, new AwaitedAnswers());
        note.Take(Delivery(number), "main", canWait: false);
        note.Leave();
        if (number > 0) note.Answer(new SendOutcome(SendResult.Accepted, $"250 {number}"));
        return note;
    }

    private Handovers Read()
    {
        file.Position = 0;
        return Handovers.Read(file)!;
    }

    private (SendResult? Result, string? Reply, string? Relay, SendResult? Other) Two(int number, int other)
    {
        var read = Read();
        return (read.Of(Delivery(number))?.Result, read.Of(Delivery(number))?.Reply, read.Of(Delivery(number))?.Relay, read.Of(Delivery(other))?.Result);
    }

    private static Delivery Delivery(int number)
    {
        var reader = new Subscriber(number + 1, EnginePlace.Address("a@b.example"), null, new Dictionary<string, string>(), SubscriberStatus.Active, []);
        return new Delivery(new DeliveryId(1, number + 1), 1, 0, null, reader, 0, 1);
    }
}
