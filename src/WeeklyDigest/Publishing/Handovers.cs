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
/// has one note, which is written anew before the end of a message leaves, and so after the outcome before is in the ledger: a row
/// in state sending without a note was not handed over. Where a note cannot be written, nothing is handed over.
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
    private const int RelayAt = 40;

    // Of an answer that has not come.
    private const int Awaited = -1;

    private readonly Dictionary<(DeliveryId Id, long Stamp), SendOutcome?> notes = [];

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
    public int Awaiting => notes.Values.Count(outcome => outcome is null);

    /// <summary>What became of a delivery that the ledger says is being sent.</summary>
    /// <returns>Null when its end had left and no answer had come.</returns>
    public SendOutcome? Of(HeldDelivery delivery)
        => notes.TryGetValue((delivery.Id, delivery.Stamp), out var known) ? known : new SendOutcome(SendResult.NotStarted, "The process ended before the message was handed over.");

    private void Add(ReadOnlySpan<byte> note)
    {
        var stamp = BinaryPrimitives.ReadInt64LittleEndian(note[StampAt..]);
        // Claims count from 1: this one was never written.
        if (stamp == 0) return;
        var id = new DeliveryId(BinaryPrimitives.ReadInt64LittleEndian(note), BinaryPrimitives.ReadInt64LittleEndian(note[8..]));
        var result = BinaryPrimitives.ReadInt32LittleEndian(note[ResultAt..]);
        var relay = note.Slice(RelayAt, BinaryPrimitives.ReadInt32LittleEndian(note[RelayLengthAt..]));
        var reply = Encoding.UTF8.GetString(note.Slice(RelayAt + relay.Length, BinaryPrimitives.ReadInt32LittleEndian(note[LengthAt..])));
        notes[(id, stamp)] = result is Awaited or (int)SendResult.Unknown
            ? null
            : new SendOutcome((SendResult)result, reply)
            {
                Refusal = (Refusal)BinaryPrimitives.ReadInt32LittleEndian(note[RefusalAt..]), Relay = relay.Length > 0 ? Encoding.UTF8.GetString(relay) : null,
            };
    }

    private static byte[] Title()
    {
        var title = new byte[Beginning];
        Encoding.ASCII.GetBytes($"handovers 3 {BootId()}", title);
        return title;
    }

    // On Linux another at each start of the machine; elsewhere nothing is known, and nothing counts.
    private static string BootId()
    {
        const string Source = "/proc/sys/kernel/random/boot_id";
        return File.Exists(Source) ? File.ReadAllText(Source).Trim() : "";
    }

    /// <summary>What one connection has on its way.</summary>
    internal sealed class Note
    {
        private readonly byte[] bytes = new byte[NoteSize];
        private readonly SafeFileHandle file;
        private readonly long at;
        private readonly AwaitedAnswers awaited;
        private int relayLength;
        private bool isAwaited;
        private bool givesWay;

        /// <summary>A note at a place of a file.</summary>
        public Note(SafeFileHandle file, long at, AwaitedAnswers awaited)
        {
            (this.file, this.at, this.awaited) = (file, at, awaited);
        }

        /// <summary>The next message is this delivery's, over this relay; nothing is written yet.</summary>
        /// <param name="delivery">The delivery.</param>
        /// <param name="relay">The relay's name.</param>
        /// <param name="givesWay">Whether it is to leave a moment later while the answers of others wait to be read.</param>
        public void Take(Delivery delivery, string relay, bool givesWay)
        {
            Settle();
            this.givesWay = givesWay;
            relayLength = Encoding.UTF8.GetByteCount(relay) is var length && length <= MaxRelay ? Encoding.UTF8.GetBytes(relay, bytes.AsSpan(RelayAt)) : 0;
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(RelayLengthAt), relayLength);
            BinaryPrimitives.WriteInt64LittleEndian(bytes, delivery.Id.MailingId);
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(8), delivery.Id.SubscriberId);
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(StampAt), delivery.Stamp);
            Answer(Awaited, Refusal.None, "");
        }

        /// <summary>To be called before the end of the message can leave.</summary>
        /// <exception cref="UnwrittenNoteException">It cannot be written down: the end must not leave.</exception>
        public void Leave()
        {
            // It gives way first: what is noted and has not left would be uncertain after a kill all the same.
            if (!isAwaited) awaited.Add(givesWay);
            isAwaited = true;
            Insist();
        }

        /// <summary>Writes it while it says nothing.</summary>
        /// <exception cref="UnwrittenNoteException">It cannot be written.</exception>
        public void Reserve() => Insist();

        /// <summary>Writes down what the relay answered; a message that never left needs no note.</summary>
        public void Answer(SendOutcome outcome)
        {
            Answer((int)outcome.Result, outcome.Refusal, outcome.Reply);
            try
            {
                Write();
            }
            catch (IOException)
            {
                // What stands there, if anything, says that the answer is awaited: the outcome is in our memory, and on its way to the ledger.
            }
            Settle();
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

        private void Write() => RandomAccess.Write(file, bytes, at);

        private void Answer(int result, Refusal refusal, string reply)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(ResultAt), result);
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(RefusalAt), (int)refusal);
            _ = Utf8.FromUtf16(reply, bytes.AsSpan(RelayAt + relayLength), out _, out var length);
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(LengthAt), length);
        }
    }
}

/// <summary>What is handed over cannot be written down, so nothing is: our trouble, and no relay's. It passes when the cause does, a full disk say.</summary>
internal sealed class UnwrittenNoteException(IOException cause)
    : IOException($"What is handed over to relays cannot be written down, so nothing is: {cause.Message}", cause.HResult);
