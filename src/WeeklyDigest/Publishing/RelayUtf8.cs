namespace WeeklyDigest.Publishing;

/// <summary>Whether a relay carries addresses beyond ASCII (RFC 6531), as its connections showed; the machines behind its name may differ.</summary>
internal sealed class RelayUtf8
{
    private volatile bool isLacking;
    private volatile bool wasAnnounced;
    private volatile bool wasAccepted;
    private volatile bool isRefused;

    /// <summary>Whether it showed, when a connection was opened or such an address was tried last, that it carries none.</summary>
    public bool IsLacking => isLacking || isRefused;

    /// <summary>Whether it ever showed that it carries them.</summary>
    public bool HasCarried => wasAccepted || (wasAnnounced && !isRefused);

    /// <summary>A connection was opened.</summary>
    /// <param name="announces">Whether the relay announced SMTPUTF8. Of one that refused it all the same, and never took any, that says nothing.</param>
    public void Opened(bool announces)
    {
        isLacking = !announces;
        if (announces) wasAnnounced = true;
    }

    /// <summary>It accepted a message with such an address.</summary>
    public void Accepted() => wasAccepted = true;

    /// <summary>It refused SMTPUTF8 in MAIL, whatever it had announced.</summary>
    public void Refused()
    {
        isLacking = true;
        isRefused = !wasAccepted;
    }

    /// <summary>It gets another chance: what it announced counts again.</summary>
    public void Forget()
    {
        if (isRefused) isLacking = false;
        isRefused = false;
    }
}
