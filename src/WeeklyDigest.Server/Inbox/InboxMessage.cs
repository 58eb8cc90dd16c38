namespace WeeklyDigest.Server.Inbox;

/// <summary>One line of the inbox's list; read from the message's header only.</summary>
/// <param name="Id">The message's name.</param>
/// <param name="ReceivedAt">When it was accepted.</param>
/// <param name="Sender">Envelope sender; empty for the null sender.</param>
/// <param name="Recipients">Envelope recipients, at least one.</param>
/// <param name="From">The From header, decoded; empty when missing.</param>
/// <param name="To">The To header, decoded; empty when missing.</param>
/// <param name="Subject">The Subject header, decoded; empty when missing.</param>
/// <param name="Size">Bytes on disk.</param>
internal sealed record InboxEntry(
    string Id, DateTimeOffset ReceivedAt, string Sender, IReadOnlyList<string> Recipients, string From, string To, string Subject, long Size);

/// <summary>A kept message.</summary>
/// <param name="Id">Its name.</param>
/// <param name="ReceivedAt">When it was accepted.</param>
/// <param name="Envelope">Who sent it to whom, on the wire.</param>
/// <param name="Bytes">Exactly the bytes that were sent, without the lines the inbox puts before them.</param>
internal sealed record InboxMessage(string Id, DateTimeOffset ReceivedAt, InboxEnvelope Envelope, ReadOnlyMemory<byte> Bytes);

/// <summary>Sender and recipients as the client named them in MAIL and RCPT.</summary>
/// <param name="Sender">Empty for the null sender.</param>
/// <param name="Recipients">At least one.</param>
internal sealed record InboxEnvelope(string Sender, IReadOnlyList<string> Recipients);
