using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>What the ledger has in state sending stands in the process's lock file, from before its mark is written until its outcome is, so that a kill at any moment finds it there.</summary>
public sealed class NamedMarksTests
{
    [Fact]
    public async Task Whatever_becomes_of_messages_each_row_that_is_being_sent_is_named()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Elsewhere it is not known whether the machine was started anew, and nothing counts.");
        await using var place = EnginePlace.Open(Mixed);
        var mailing = await place.PublishAsync(200);
        var (owner, file, missing, marks) = (default(string), default(FileStream), new List<string>(), 0);
        place.TakeOwner = folder =>
        {
            var locks = Directory.CreateDirectory(Path.Combine(folder, "locks")).FullName;
            file = new FileStream(Path.Combine(folder, "notes"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
            Handovers.Begin(file.SafeFileHandle);
            var process = new ProcessOwner(locks, "here/1/named", file);
            owner = process.ForRun(mailing);
            return process;
        };
        place.Around = ledger => SlowLedger.Over(ledger, async writes =>
        {
            var read = Read(file!);
            foreach (var mark in writes.Where(write => write is { From: DeliveryState.Claimed, To: DeliveryState.Sending }))
            {
                marks++;
                if (read.Of(new BegunDelivery(mark.Id, mark.Stamp, 0, null, 0))?.Result != SendResult.NotStarted) missing.Add($"the mark of {mark.Id}");
            }
            var sending = await ledger.SendingAsync(owner!, CancellationToken.None);
            read = Read(file!);
            // Of those whose answer has not come nothing is known, and of no others.
            if (sending.Count(row => read.Of(row) is null) > read.Awaiting) missing.Add($"{sending.Count} sending, {read.Awaiting} awaited");
        });
        var balance = (await place.Start().RunAsync(mailing)).Balance;

        Assert.Empty(missing);
        Assert.InRange(marks, 200, 400);
        Assert.All([balance.Sent, balance.Deferred, balance.Failed, balance.Uncertain], count => Assert.InRange(count, 1, 199));
        // The ledger knows everything: nothing is named any more.
        Assert.All(Enumerable.Range(1, 200), id => Assert.All([1, 2], stamp => Assert.Null(Read(file!).Of(new BegunDelivery(new DeliveryId(mailing, id), stamp, 0, null, 0)))));
        Assert.Equal(0, Read(file!).Awaiting);
    }

    private static SmtpMove Mixed(SmtpMoment moment) => (moment.Stage, Last(moment.Recipient), moment.Time) switch
    {
        (SmtpStage.RcptTo, '1', _) => SmtpMove.Reply("451 4.7.1 Later"),
        (SmtpStage.RcptTo, '2', _) when moment.Recipient.Length < 15 => SmtpMove.Hold(Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System), SmtpMove.Accept),
        (SmtpStage.RcptTo, '3', _) => SmtpMove.Reply("550 5.1.1 No such user"),
        (SmtpStage.RcptTo, '4', 1) => SmtpMove.Drop,
        (SmtpStage.Data, '5', 1) => SmtpMove.ReplyThenClose("421 4.3.2 Going down"),
        (SmtpStage.Message, '6', _) when moment.Recipient.Length < 15 => SmtpMove.KeepThenDrop,
        _ => SmtpMove.Accept,
    };

    // The last digit of r17@example.org; none of anything else.
    private static char Last(string recipient) => recipient.IndexOf('@', StringComparison.Ordinal) is > 0 and var at ? recipient[at - 1] : ' ';

    private static Handovers Read(FileStream file)
    {
        using var again = new FileStream(file.Name, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        return Handovers.Read(again)!;
    }
}
