namespace WeeklyDigest.Smtp;

/// <summary>The relay itself cannot be used: down, TLS or login failed, sender refused. No recipient is to blame.</summary>
/// <param name="message">Relay, what happened, the server's own words, what to do. No secret.</param>
/// <param name="isTransient">Whether trying again soon makes sense (down, 421) or only the operator can help (login, certificate, sender).</param>
/// <param name="inner">The cause, or null.</param>
public sealed class RelayException(string message, bool isTransient, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether a connection could not be opened, which says no more, while others work, than that there are to be no more of them.</summary>
    public bool MayBeLimit { get; init; }

    /// <summary>Whether trying again soon makes sense.</summary>
    public bool IsTransient { get; } = isTransient;
}
