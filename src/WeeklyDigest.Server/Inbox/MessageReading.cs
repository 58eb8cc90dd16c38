namespace WeeklyDigest.Server.Inbox;

/// <summary>Takes one message off the wire, straight into a draft: memory use does not grow with the message.</summary>
internal sealed class MessageReading(InboxWire wire, MessageRules rules)
{
    private bool startsLine = true;
    private bool afterCrLf = true;

    /// <summary>Reads up to the final dot and, when no rule was broken, puts the message in place.</summary>
    /// <returns>
    /// Whether the client sent a whole message and may go on; and why the disk refused it, or null. A message that grows to twice the
    /// limit is cut off.
    /// </returns>
    public async Task<(bool IsWhole, string? Problem)> ReadAsync(string folder, InboxEnvelope envelope, InboxCommitter committer, TimeProvider time)
    {
        InboxDraft? draft = null;
        string? problem = null;
        try
        {
            try
            {
                draft = InboxDraft.Start(folder);
                draft.Write(InboxTrace.Write(envelope, time.GetUtcNow()));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                problem = e.Message;
            }

            while (true)
            {
                if (TakeLines(draft, ref problem))
                {
                    return (true, rules.Breach is not null ? null : problem ?? await committer.CommitAsync(draft!));
                }

                if (rules.Size > 2 * InboxSession.LongestMessage || !await wire.FillAsync())
                {
                    return (false, problem);
                }
            }
        }
        finally
        {
            draft?.Dispose();
        }
    }

    /// <returns>Whether the final dot came.</returns>
    private bool TakeLines(InboxDraft? draft, ref string? problem)
    {
        while (wire.TryTakeLine(out var line))
        {
            // Only CR LF . CR LF ends a message. Anything looser lets one message hide inside another ("SMTP smuggling").
            if (afterCrLf && line.SequenceEqual(".\r\n"u8))
            {
                return true;
            }

            if (startsLine && afterCrLf && line[0] == '.')
            {
                line = line[1..];
            }

            startsLine = line.EndsWith("\n"u8);
            afterCrLf = line.EndsWith("\r\n"u8);
            rules.Check(line);
            Keep(draft, line, ref problem);
        }

        return false;
    }

    private void Keep(InboxDraft? draft, ReadOnlySpan<byte> line, ref string? problem)
    {
        if (draft is null || problem is not null || rules.Breach is not null)
        {
            return;
        }

        try
        {
            draft.Write(line);
        }
        catch (IOException e)
        {
            problem = e.Message;
        }
    }
}
