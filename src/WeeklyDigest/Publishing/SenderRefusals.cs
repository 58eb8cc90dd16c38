using WeeklyDigest.Audience;

namespace WeeklyDigest.Publishing;

/// <summary>What a refusal of the sender at RCPT means.</summary>
internal enum SenderRefusal
{
    /// <summary>The recipient's domain does not want us.</summary>
    Recipient,

    /// <summary>It is not known yet: the recipient is to be tried once more.</summary>
    Unclear,

    /// <summary>The relay refuses everybody.</summary>
    Relay,
}

/// <summary>
/// What a relay says of the sender at RCPT: its own word, which holds for everybody, or passed on from the one receiving domain that it asked. What it
/// accepts meanwhile tells. Of each relay, over all its connections.
/// </summary>
internal sealed class SenderRefusals
{
    /// <summary>So many domains without a message accepted in between: it refuses everybody.</summary>
    private const int Everybody = 3;

    /// <summary>One recipient is tried so often while nothing shows that others are accepted.</summary>
    private const int Tries = 3;

    /// <summary>So many are given back at the most without a message accepted in between.</summary>
    private const int Most = 20;

    private readonly Lock gate = new();
    private readonly HashSet<string> domains = [];
    private readonly List<EmailAddress> givenBack = [];
    private string? accepts;
    private volatile EmailAddress? accepted;
    private volatile int row;

    /// <summary>The row of refusals that a message begins in. One that was under way as the first of them came says nothing against it when it is accepted.</summary>
    public int Row => row;

    /// <summary>A message was accepted.</summary>
    /// <param name="recipient">Whose.</param>
    /// <param name="begunIn">The <see cref="Row"/> as it began.</param>
    public void Accepted(EmailAddress recipient, int begunIn)
    {
        if (begunIn == row) accepted = recipient;
    }

    /// <summary>Judges a refusal.</summary>
    public SenderRefusal Judge(EmailAddress recipient)
    {
        lock (gate)
        {
            if (Interlocked.Exchange(ref accepted, null) is { } last) Begin(last.Domain);
            if (domains.Count == 0) row++;
            // What is said of a domain that was accepted just before may be the relay's change of mind: then one pays for it, and no others.
            var isOwn = accepts is not null && (domains.Count == 0 || (accepts != recipient.Domain && domains.All(other => other == recipient.Domain)));
            domains.Add(recipient.Domain);
            if (isOwn) return SenderRefusal.Recipient;
            givenBack.Add(recipient);
            return IsEverybody(recipient) ? SenderRefusal.Relay : SenderRefusal.Unclear;
        }
    }

    /// <summary>It gets another chance after it was set aside: what it accepted before shows nothing any more.</summary>
    public void Forget()
    {
        lock (gate)
        {
            accepted = null;
            Begin(null);
        }
    }

    private bool IsEverybody(EmailAddress recipient)
        => domains.Count >= Everybody || givenBack.Count >= Most || (accepts is null && givenBack.Count(other => other == recipient) >= Tries);

    private void Begin(string? acceptedDomain)
    {
        accepts = acceptedDomain;
        domains.Clear();
        givenBack.Clear();
    }
}
