using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;
using Microsoft.Win32.SafeHandles;
using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Publishing;

/// <summary>
/// What a process handed over and what it was answered, noted in its lock file faster than the ledger can be: a write into the system's memory,
/// which outlives kill -9. So after a kill only those messages are uncertain whose end had left and whose answer had not come.
/// </summary>
/// <remarks>
/// It does not outlive the machine, and need not: its beginning names the boot it was written in, and in another nothing of it counts. A connection
/// has one note. It names a delivery from before its mark is submitted until its outcome is in the ledger, so that some note names each row in state
/// sending. A row that none names is one of a ledger that has gone back behind its process, an older copy put in place or a replica that had
/// lagged: nothing is known of it. Where a note cannot be written, nothing is marked.
/// </remarks>
internal sealed class Handovers
{
    // The beginning is as long as a note, and a page of memory holds a whole number of them: none crosses its end, so that a kill leaves it as it was or as it is.
    private const int NoteSize = 256;
    private const int Beginning = NoteSize;
    private const int MaxRelay = 64;
    private const int StampAt = 16;
    private const int ResultAt = 24;
    private const int RefusalAt = 28;
    private const int LengthAt = 32;
    private const int RelayLengthAt = 36;
    private const int NextAt = 40;
    private const int NextLength = 24;
    private const int RelayAt = NextAt + NextLength;

    // Of an answer that has not come.
    private const int Awaited = -1;

    private static readonly SendOutcome NotHandedOver = new(SendResult.NotStarted, "The process ended before the message was handed over.");

    // A delivery's latest claim that is noted: the ledger knows of no later one, unless it has gone back.
    private readonly Dictionary<DeliveryId, (long Stamp, SendOutcome? Outcome)> notes = [];

    private Handovers()
    {
    }

    /// <summary>Begins a file.</summary>
    public static void Begin(SafeFileHandle file) => RandomAccess.Write(file, Title(), 0);

    /// <summary>The note of a process's connection number so and so, from 0. Its whole place is written: what has room for that has room for all that it will say.</summary>
    /// <exception cref="UnwrittenNoteException">It cannot be written: nothing is to be handed over.</exception>
    public static Note At(SafeFileHandle file, int number, AwaitedAnswers awaited)
    {
        var note = new Note(file, Beginning + ((long)number * NoteSize), awaited);
        note.Reserve();
        return note;
    }

    /// <summary>Reads what a dead process left.</summary>
    /// <returns>Null when that says nothing: a program's with another layout, or of an earlier boot, after which the system's memory is gone.</returns>
    public static Handovers? Read(Stream file)
    {
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        if (bytes.Length < Beginning || !bytes.AsSpan(0, Beginning).SequenceEqual(Title()) || BootId().Length == 0) return null;
        var read = new Handovers();
        for (var at = Beginning; at + NoteSize <= bytes.Length; at += NoteSize) read.Add(bytes.AsSpan(at, NoteSize));
        return read;
    }

    /// <summary>How many messages had left without an answer.</summary>
    public int Awaiting => notes.Values.Count(note => note.Outcome is null);

    /// <summary>What became of a delivery that the ledger says is being sent.</summary>
    /// <returns>Null when nothing is known of it: its end had left and no answer had come, or no note names this claim of it.</returns>
    public SendOutcome? Of(HeldDelivery delivery)
        => notes.TryGetValue(delivery.Id, out var known) && known.Stamp == delivery.Stamp ? known.Outcome : null;

    private void Add(ReadOnlySpan<byte> note)
    {
        Add(note, OutcomeIn(note));
        Add(note.Slice(NextAt, NextLength), NotHandedOver);
    }

    private void Add(ReadOnlySpan<byte> claim, SendOutcome? outcome)
    {
        var id = new DeliveryId(BinaryPrimitives.ReadInt64LittleEndian(claim), BinaryPrimitives.ReadInt64LittleEndian(claim[8..]));
        var stamp = BinaryPrimitives.ReadInt64LittleEndian(claim[StampAt..]);
        // Claims count from 1: one of 0 was never written.
        if (stamp > notes.GetValueOrDefault(id).Stamp) notes[id] = (stamp, outcome);
    }

    private static SendOutcome? OutcomeIn(ReadOnlySpan<byte> note)
    {
        var result = BinaryPrimitives.ReadInt32LittleEndian(note[ResultAt..]);
        if (result is Awaited or (int)SendResult.Unknown) return null;
        var relay = note.Slice(RelayAt, BinaryPrimitives.ReadInt32LittleEndian(note[RelayLengthAt..]));
        var reply = Encoding.UTF8.GetString(note.Slice(RelayAt + relay.Length, BinaryPrimitives.ReadInt32LittleEndian(note[LengthAt..])));
        return new SendOutcome((SendResult)result, reply)
        {
            Refusal = (Refusal)BinaryPrimitives.ReadInt32LittleEndian(note[RefusalAt..]), Relay = relay.Length > 0 ? Encoding.UTF8.GetString(relay) : null,
        };
    }

    private static byte[] Title()
    {
        var title = new byte[Beginning];
        Encoding.ASCII.GetBytes($"handovers 4 {BootId()}", title);
        return title;
    }

    // On Linux another at each start of the machine; elsewhere nothing is known, and nothing counts.
    private static string BootId()
    {
        const string Source = "/proc/sys/kernel/random/boot_id";
        return File.Exists(Source) ? File.ReadAllText(Source).Trim() : "";
    }

    /// <summary>
    /// What one connection has on its way: the delivery whose mark it submits next, and the one before, which is told of until that mark, and the
    /// outcome with it, is in the ledger.
    /// </summary>
    internal sealed class Note
    {
        private readonly byte[] bytes = new byte[NoteSize];
        private readonly SafeFileHandle file;
        private readonly long at;
        private readonly AwaitedAnswers awaited;
        private string relay = "";
        private int relayLength;
        private bool hasNext;
        private bool isAwaited;
        private bool givesWay;

        /// <summary>A note at a place of a file.</summary>
        public Note(SafeFileHandle file, long at, AwaitedAnswers awaited)
        {
            (this.file, this.at, this.awaited) = (file, at, awaited);
        }

        /// <summary>Names the next delivery; to be called before its mark is submitted, and when it is known what became of the mark before.</summary>
        /// <param name="delivery">The delivery.</param>
        /// <param name="relayName">The relay that its message goes over.</param>
        /// <param name="canWait">Whether it is to leave a moment later while the answers of others wait to be read.</param>
        /// <exception cref="UnwrittenNoteException">It cannot be written down: the delivery must not be marked.</exception>
        public void Take(Delivery delivery, string relayName, bool canWait)
        {
            Settle();
            // One that has not left is given back with this one's mark: until then it may be in state sending.
            if (hasNext) Tell(NotHandedOver);
            (relay, givesWay, hasNext) = (relayName, canWait, true);
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(NextAt), delivery.Id.MailingId);
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(NextAt + 8), delivery.Id.SubscriberId);
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(NextAt + StampAt), delivery.Stamp);
            Insist();
        }

        /// <summary>To be called before the end of the message can leave.</summary>
        /// <exception cref="UnwrittenNoteException">It cannot be written down: the end must not leave.</exception>
        public void Leave()
        {
            Tell(Awaited, Refusal.None, "");
            // It gives way first: what is noted and has not left would be uncertain after a kill all the same.
            if (!isAwaited) awaited.Add(givesWay);
            isAwaited = true;
            Insist();
        }

        /// <summary>Writes it while it says nothing.</summary>
        /// <exception cref="UnwrittenNoteException">It cannot be written.</exception>
        public void Reserve() => Insist();

        /// <summary>Writes down what the relay answered.</summary>
        public void Answer(SendOutcome outcome)
        {
            Tell(outcome);
            // Else what stands there says that the answer is awaited: the outcome is in our memory, and on its way to the ledger.
            TryWrite();
            Settle();
        }

        /// <summary>Names nothing any more: the ledger knows what became of all that it named. What others do with these from now on it cannot tell.</summary>
        public void Clear()
        {
            if (!hasNext && BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(StampAt)) == 0) return;
            Settle();
            hasNext = false;
            Array.Clear(bytes);
            TryWrite();
        }

        private void Settle()
        {
            if (isAwaited) awaited.Remove();
            isAwaited = false;
        }

        private void Insist()
        {
            try
            {
                Write();
            }
            catch (IOException failure)
            {
                Settle();
                throw new UnwrittenNoteException(failure);
            }
        }

        private void TryWrite()
        {
            try
            {
                Write();
            }
            catch (IOException)
            {
                // What stands there says less than is known, and nothing wrong.
            }
        }

        private void Write() => RandomAccess.Write(file, bytes, at);

        private void Tell(SendOutcome outcome) => Tell((int)outcome.Result, outcome.Refusal, outcome.Reply);

        private void Tell(int result, Refusal refusal, string reply)
        {
            if (hasNext) Turn();
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(ResultAt), result);
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(RefusalAt), (int)refusal);
            _ = Utf8.FromUtf16(reply, bytes.AsSpan(RelayAt + relayLength), out _, out var length);
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(LengthAt), length);
        }

        // From here on it tells of the next one, in place of the one before.
        private void Turn()
        {
            var next = bytes.AsSpan(NextAt, NextLength);
            next.CopyTo(bytes);
            next.Clear();
            hasNext = false;
            relayLength = Encoding.UTF8.GetByteCount(relay) is var length && length <= MaxRelay ? Encoding.UTF8.GetBytes(relay, bytes.AsSpan(RelayAt)) : 0;
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(RelayLengthAt), relayLength);
        }
    }
}

/// <summary>What is handed over cannot be written down, so nothing is: our trouble, and no relay's. It passes when the cause does, a full disk say.</summary>
internal sealed class UnwrittenNoteException(IOException cause)
    : IOException($"What is handed over to relays cannot be written down, so nothing is: {cause.Message}", cause.HResult);
