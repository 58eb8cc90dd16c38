namespace WeeklyDigest.Tests.Relays;

/// <summary>Where a conversation stands when the script is asked.</summary>
internal enum SmtpStage
{
    Connect,
    Hello,
    StartTls,
    Auth,
    MailFrom,
    RcptTo,
    Data,
    Message,
    Other,
}

/// <summary>What the script may look at.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Line">The client's command; empty at Connect and Message.</param>
/// <param name="Recipient">RcptTo: this recipient; Data and Message: the first one accepted in this transaction; else empty.</param>
/// <param name="Time">1 when this stage happens to this recipient for the first time, then 2, ... over all connections. Without a recipient: per stage.</param>
/// <param name="Connection">1 for the server's first connection, then 2, ...</param>
/// <param name="MessageId">The Message-ID at stage Message, without angle brackets; else empty.</param>
internal sealed record SmtpMoment(SmtpStage Stage, string Line, string Recipient, int Time, int Connection, string MessageId);

/// <summary>What the server does at a moment.</summary>
internal abstract record SmtpMove
{
    /// <summary>The stage's ordinary positive reply.</summary>
    public static SmtpMove Accept { get; } = new AcceptMove();

    /// <summary>Closes without a word; at stage Message the message is not kept ("lost before the dot was read").</summary>
    public static SmtpMove Drop { get; } = new DropMove(Keep: false);

    /// <summary>Stage Message: keeps the message, then closes without a word ("the answer was lost").</summary>
    public static SmtpMove KeepThenDrop { get; } = new DropMove(Keep: true);

    /// <summary>Never answers, until the client closes or the server ends.</summary>
    public static SmtpMove Stall { get; } = new StallMove(Keep: false);

    /// <summary>Stage Message: keeps the message and never answers.</summary>
    public static SmtpMove KeepThenStall { get; } = new StallMove(Keep: true);

    /// <summary>Answers so. Lines of a longer reply are separated by LF. A message is kept when it starts with 2.</summary>
    public static SmtpMove Reply(string text) => new ReplyMove(text, ThenClose: false);

    /// <summary>Answers so, then closes: "421 4.3.2 going down".</summary>
    public static SmtpMove ReplyThenClose(string text) => new ReplyMove(text, ThenClose: true);

    /// <summary>Stage Data: answers 354, reads so many bytes of the message and closes.</summary>
    public static SmtpMove CutBodyAfter(int bytes) => new CutMove(bytes);

    /// <summary>Waits for the task, then does that.</summary>
    public static SmtpMove Hold(Task until, SmtpMove then) => new HoldMove(until, then);

    internal sealed record AcceptMove : SmtpMove;

    internal sealed record DropMove(bool Keep) : SmtpMove;

    internal sealed record StallMove(bool Keep) : SmtpMove;

    internal sealed record ReplyMove(string Text, bool ThenClose) : SmtpMove;

    internal sealed record CutMove(int Bytes) : SmtpMove;

    internal sealed record HoldMove(Task Until, SmtpMove Then) : SmtpMove;
}
