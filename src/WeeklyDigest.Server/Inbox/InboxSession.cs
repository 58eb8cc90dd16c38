using System.Text;
using System.Text.Unicode;

namespace WeeklyDigest.Server.Inbox;

/// <summary>One client's SMTP conversation (RFC 5321). Answers nonsense with a 5xx and ends after too much of it; never throws for what a client says.</summary>
internal sealed class InboxSession(InboxWire wire, InboxCommitter committer, string folder, TimeProvider time)
{
    /// <summary>Octets of the largest message.</summary>
    public const long LongestMessage = 25 * 1024 * 1024;

    private const int MostRecipients = 100;
    private const int MostErrors = 20;

    private readonly List<string> recipients = [];
    private bool greeted;
    private SmtpPath? sender;
    private int errors;
    private bool isOver;

    /// <summary>Talks until the client leaves.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    public async Task RunAsync()
    {
        wire.Reply("220 inbox.localhost ESMTP WeeklyDigest inbox");
        try
        {
            while (!isOver && await NextCommandAsync() is { } command)
            {
                await AnswerAsync(command);
            }
        }
        catch (OperationCanceledException)
        {
            wire.Reply("421 4.4.2 Closing: silent for too long, or the inbox ends");
        }

        await wire.SendAsync();
    }

    private async Task<string?> NextCommandAsync()
    {
        for (var isTail = false; ;)
        {
            while (wire.TryTakeLine(out var line))
            {
                if (!line.EndsWith("\n"u8))
                {
                    isTail = true;
                }
                else if (isTail)
                {
                    return "(too long)";
                }
                else
                {
                    return line.EndsWith("\r\n"u8) && Utf8.IsValid(line) ? Encoding.UTF8.GetString(line[..^2]) : "(not text)";
                }
            }

            if (!await wire.FillAsync())
            {
                return null;
            }
        }
    }

    private async Task AnswerAsync(string command)
    {
        var verb = command.Split(' ', 2)[0].ToUpperInvariant();
        if (verb == "DATA" && Refusal(command) is null)
        {
            wire.Reply("354 End with a dot on its own line");
            await ReceiveAsync();
            return;
        }

        var reply = verb switch
        {
            "EHLO" or "HELO" => Greet(command, verb == "EHLO"),
            "MAIL" => Mail(command),
            "RCPT" => Recipient(command),
            "DATA" => Refusal(command)!,
            "RSET" => Reset("250 2.0.0 Forgotten"),
            "NOOP" => "250 2.0.0 Yes",
            "VRFY" => "252 2.5.1 Every address is taken; nothing leaves this machine",
            "QUIT" => Quit(),
            "(TOO" => "500 5.5.6 Line too long",
            "(NOT" => "500 5.5.2 Not a line of text that ends with CR LF",
            _ => "500 5.5.1 Not a command of this server",
        };
        wire.Reply(reply);
        CountErrors(reply);
    }

    private string Greet(string command, bool isExtended)
    {
        if (!command.Contains(' ', StringComparison.Ordinal))
        {
            return "501 5.5.4 Say who you are";
        }

        greeted = true;
        Reset("");
        return isExtended
            ? $"250-inbox.localhost\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-SIZE {LongestMessage}\r\n250 ENHANCEDSTATUSCODES"
            : "250 inbox.localhost";
    }

    private string Mail(string command)
    {
        if (!greeted || sender is not null)
        {
            return greeted ? "503 5.5.1 One message at a time: RSET first" : "503 5.5.1 EHLO first";
        }

        if (Path(command, "MAIL FROM:") is not { } path)
        {
            return "501 5.1.7 Expected MAIL FROM:<address>, with a valid address";
        }

        foreach (var parameter in path.Parameters)
        {
            if (parameter.StartsWith("SIZE=", StringComparison.Ordinal))
            {
                if (!long.TryParse(parameter.AsSpan(5), out var size) || size > LongestMessage)
                {
                    return $"552 5.3.4 Larger than {LongestMessage} octets";
                }
            }
            else if (parameter is not ("BODY=7BIT" or "BODY=8BITMIME" or "SMTPUTF8"))
            {
                return $"555 5.5.4 Unknown parameter {parameter}";
            }
        }

        if (path.IsInternational && !path.Parameters.Contains("SMTPUTF8"))
        {
            return "553 5.6.7 An address beyond ASCII needs SMTPUTF8";
        }

        sender = path;
        return "250 2.1.0 Sender taken";
    }

    private string Recipient(string command)
    {
        if (sender is null)
        {
            return "503 5.5.1 MAIL first";
        }

        if (Path(command, "RCPT TO:") is not { Address.Length: > 0 } path)
        {
            return "501 5.1.3 Expected RCPT TO:<address>, with a valid address";
        }

        if (path.Parameters.Count > 0)
        {
            return $"555 5.5.4 Unknown parameter {path.Parameters[0]}";
        }

        if (path.IsInternational && !sender.Parameters.Contains("SMTPUTF8"))
        {
            return "553 5.6.7 An address beyond ASCII needs SMTPUTF8";
        }

        if (recipients.Count == MostRecipients)
        {
            return "452 4.5.3 Too many recipients";
        }

        recipients.Add(path.Address);
        return "250 2.1.5 Recipient taken";
    }

    private static SmtpPath? Path(string command, string start)
        => command.StartsWith(start, StringComparison.OrdinalIgnoreCase) ? SmtpPath.Parse(command[start.Length..]) : null;

    private string? Refusal(string data)
        => data.Length > 4 ? "501 5.5.4 DATA takes no parameter"
            : sender is null ? "503 5.5.1 MAIL first"
            : recipients.Count == 0 ? "554 5.5.1 No valid recipients"
            : null;

    private async Task ReceiveAsync()
    {
        var envelope = new InboxEnvelope(sender!.Address, [.. recipients]);
        var rules = new MessageRules(LongestMessage, sender.Parameters.Contains("BODY=8BITMIME"), sender.Parameters.Contains("SMTPUTF8"));
        Reset("");
        var (isWhole, problem) = await new MessageReading(wire, rules).ReadAsync(folder, envelope, committer, time);
        isOver = !isWhole;
        var reply = rules.Breach ?? (problem is null ? "250 2.0.0 Kept" : $"452 4.3.1 Cannot keep the message: {problem}");
        if (isWhole || rules.Breach is not null)
        {
            wire.Reply(reply);
        }
    }

    private string Reset(string reply)
    {
        sender = null;
        recipients.Clear();
        return reply;
    }

    private string Quit()
    {
        isOver = true;
        return "221 2.0.0 Bye";
    }

    private void CountErrors(string reply)
    {
        if (reply.StartsWith("50", StringComparison.Ordinal) && ++errors >= MostErrors)
        {
            wire.Reply("421 4.7.0 Too many errors");
            isOver = true;
        }
    }
}
