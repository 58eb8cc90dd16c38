namespace WeeklyDigest.Smtp;

/// <summary>Writes what differs per recipient at one place of a message, encoded for that place.</summary>
internal delegate void SlotWriter(MessageRecipient recipient, MessageBuffer buffer);

/// <summary>A piece of a message: bytes that are the same for everyone, or a slot.</summary>
/// <param name="Literal">The bytes, or null when this is a slot.</param>
/// <param name="Slot">The slot, or null when these are bytes.</param>
internal readonly record struct Segment(Literal? Literal, SlotWriter? Slot)
{
    public static Segment Of(byte[] bytes) => new(new Literal(bytes), null);

    public static Segment Of(SlotWriter slot) => new(null, slot);

    public void Write(MessageRecipient recipient, MessageBuffer buffer)
    {
        if (Literal is not null) buffer.Append(Literal);
        else Slot!(recipient, buffer);
    }
}
