using WeeklyDigest.Deliveries;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Publishing;

/// <summary>
/// How the messages of one connection leave, one after the other. Sender and recipient are said while the mark is being committed; the message leaves
/// when it is. A relay that takes long to accept them finds the mark old: it is renewed, so that nobody gets the message who has left meanwhile. The
/// same when it takes long to ask for the message (354).
/// </summary>
internal sealed class Handover
{
    private readonly RunParts run;
    private readonly ClaimFeed feed;
    private readonly Handovers.Note note;
    private readonly MessageBuffer buffer;
    private readonly Func<bool> mayLeave;
    private readonly Func<bool> leave;
    private (PooledSession Session, TakenDelivery Taken, SendingMark Mark) current;

    /// <summary>For one connection.</summary>
    /// <param name="run">The run.</param>
    /// <param name="feed">Where the deliveries come from.</param>
    /// <param name="note">Tells whoever comes after this process that one left.</param>
    /// <param name="buffer">Holds the message; released when that leaves.</param>
    public Handover(RunParts run, ClaimFeed feed, Handovers.Note note, MessageBuffer buffer)
    {
        (this.run, this.feed, this.note, this.buffer) = (run, feed, note, buffer);
        (mayLeave, leave) = (MayLeave, Leave);
    }

    /// <summary>Why the note could not say that the last message leaves: it was held back for that.</summary>
    public UnwrittenNoteException? Unwritten { get; private set; }

    /// <summary>Hands a message over; blocks until the relay has answered.</summary>
    /// <returns>What became of it; <see cref="SendResult.HeldBack"/> when it did not leave since it may not, or may not now.</returns>
    public SendOutcome Try(PooledSession session, TakenDelivery taken, SendingMark mark, ComposedMessage message)
    {
        (current, Unwritten) = ((session, taken, mark), null);
        return session.Send(message with { MayLeave = mayLeave, Leaving = leave }, run.Messages.Sender, taken.Delivery.Recipient.Address, run.Stop.AnswerToken);
    }

    private bool MayLeave()
    {
        var (session, taken, mark) = current;
        if (mark.IsKnown && mark.IsYoung) return mark.MayGo();
        // Places that are lost while the mark is waited for are not used late: the next try has others. The relay's own time counts against nobody,
        // nor do the seconds in which a mark is renewed: on a slow disk each try would lose its places. After a database that was away all would go at once.
        var renews = mark.IsKnown;
        return session.WaitFor(mark) && ((renews && mark.IsTimely) || (session.IsInPlace && feed.IsFresh(taken)));
    }

    private bool Leave()
    {
        var (session, _, mark) = current;
        // However late that makes it: the relay has counted it by now, and a connection broken off here would cost it a second one.
        var waits = mark.IsStale;
        if (waits && !session.WaitFor(mark)) throw new BrokenOffException();
        try
        {
            note.Leave();
        }
        catch (UnwrittenNoteException failure)
        {
            Unwritten = failure;
            throw new BrokenOffException();
        }
        // What became of it decides the relay from here on: it is not tried again with these bytes.
        buffer.Release();
        return waits;
    }
}
