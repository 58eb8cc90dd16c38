namespace WeeklyDigest.Smtp;

/// <summary>How long a relay may take (RFC 5321 section 4.5.3.2), and how much it may say.</summary>
internal static class RelayLimits
{
    /// <summary>Name resolution and connecting.</summary>
    public static readonly TimeSpan Connect = TimeSpan.FromSeconds(30);

    /// <summary>Of it, one address while there are others.</summary>
    public static readonly TimeSpan Address = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Greeting, EHLO, STARTTLS and login, each. Section 4.5.3.2.1 allows five minutes for the greeting, of any server of the world; this is one that its
    /// customer pays for. Who waits here holds a recipient whom another relay could serve.
    /// </summary>
    public static readonly TimeSpan Opening = TimeSpan.FromMinutes(1);

    /// <summary>Each reply but the last one, and each stretch of writing.</summary>
    public static readonly TimeSpan Reply = TimeSpan.FromMinutes(5);

    /// <summary>The reply to the final dot (section 4.5.3.2.6): giving up earlier makes duplicates, for the relay may have taken the message.</summary>
    public static readonly TimeSpan FinalReply = TimeSpan.FromMinutes(10);

    /// <summary>QUIT is a courtesy; nobody waits for its answer.</summary>
    public static readonly TimeSpan Quit = TimeSpan.FromSeconds(1);

    /// <summary>Octets of one reply; whoever sends more is not a mail server.</summary>
    public const int ReplyOctets = 1024 * 1024;
}
