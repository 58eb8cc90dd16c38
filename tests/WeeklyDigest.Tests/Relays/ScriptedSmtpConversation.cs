using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace WeeklyDigest.Tests.Relays;

/// <summary>One client's conversation with a <see cref="ScriptedSmtpServer"/>.</summary>
internal sealed class ScriptedSmtpConversation(ScriptedSmtpServer server, ScriptedSmtpWire wire, int number, CancellationToken cancel)
{
    private readonly List<string> recipients = [];
    private readonly List<byte> chunks = [];
    private string? sender;
    private string mailParameters = "";
    private bool loggedIn;
    private bool goesOn = true;

    private ScriptedSmtpOptions Options => server.Options;

    private string FirstRecipient => recipients.Count > 0 ? recipients[0] : "";

    public async Task RunAsync()
    {
        if (Options.ImplicitTls)
        {
            await wire.EncryptAsync(Options.Certificate!, cancel);
        }

        await AskAsync(SmtpStage.Connect, "", "", "220 scripted.test ESMTP");
        while (goesOn && await wire.ReadLineAsync(cancel) is { } line)
        {
            server.Record(new ReceivedCommand(number, wire.Encrypted, line));
            await AnswerAsync(line);
        }

        await wire.FlushAsync(cancel);
    }

    private Task AnswerAsync(string line) => line.Split(' ')[0].ToUpperInvariant() switch
    {
        "EHLO" => AskAsync(SmtpStage.Hello, line, "", Greeting()),
        "HELO" => AskAsync(SmtpStage.Hello, line, "", "250 scripted.test"),
        "STARTTLS" when Options.Certificate is not null => StartTlsAsync(line),
        "AUTH" when Options.Username.Length > 0 => LogInAsync(line),
        "MAIL" => MailAsync(line),
        "RCPT" => RcptAsync(line),
        "DATA" => DataAsync(line),
        "BDAT" => ChunkAsync(line),
        "RSET" => ResetAsync(line),
        "NOOP" => AskAsync(SmtpStage.Other, line, "", "250 2.0.0 ok"),
        "QUIT" => QuitAsync(line),
        _ => AskAsync(SmtpStage.Other, line, "", "502 5.5.1 not known here"),
    };

    private string Greeting()
    {
        var lines = new List<string> { "scripted.test" };
        lines.AddRange(
            from ability in new[]
            {
                (SmtpAbilities.Pipelining, "PIPELINING"), (SmtpAbilities.EightBitMime, "8BITMIME"), (SmtpAbilities.Size, "SIZE 26214400"),
                (SmtpAbilities.SmtpUtf8, "SMTPUTF8"), (SmtpAbilities.Chunking, "CHUNKING"), (SmtpAbilities.EnhancedStatusCodes, "ENHANCEDSTATUSCODES"),
            }
            where Options.Abilities.HasFlag(ability.Item1)
            select ability.Item2);
        if (Options is { Certificate: not null, AnnounceStartTls: true } && !wire.Encrypted)
        {
            lines.Add("STARTTLS");
        }

        if (Options.Username.Length > 0)
        {
            lines.Add("AUTH " + Options.AuthMechanisms);
        }

        return string.Join('\n', lines.Select((line, i) => (i < lines.Count - 1 ? "250-" : "250 ") + line));
    }

    private async Task StartTlsAsync(string line)
    {
        if (await AskAsync(SmtpStage.StartTls, line, "", "220 2.0.0 go ahead"))
        {
            await wire.EncryptAsync(Options.Certificate!, cancel);
        }
    }

    private async Task LogInAsync(string line)
    {
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var isPlain = words.Length > 1 && words[1].Equals("PLAIN", StringComparison.OrdinalIgnoreCase);
        var (user, password) = isPlain ? await PlainAsync(words) : await LoginAsync(words);
        var isRight = user == Options.Username && password == Options.Password;
        loggedIn = await AskAsync(SmtpStage.Auth, line, "", isRight ? "235 2.7.0 welcome" : "535 5.7.8 wrong user name or password");
    }

    private async Task<(string User, string Password)> PlainAsync(string[] words)
    {
        var fields = (words.Length > 2 ? Decode(words[2]) : await QuestionAsync("334 ")).Split('\0');
        return fields.Length == 3 ? (fields[1], fields[2]) : ("", "");
    }

    private async Task<(string User, string Password)> LoginAsync(string[] words)
    {
        var user = words.Length > 2 ? Decode(words[2]) : await QuestionAsync("334 VXNlcm5hbWU6");
        return (user, await QuestionAsync("334 UGFzc3dvcmQ6"));
    }

    private async Task<string> QuestionAsync(string question)
    {
        wire.Reply(question);
        var line = await wire.ReadLineAsync(cancel) ?? "";
        server.Record(new ReceivedCommand(number, wire.Encrypted, line));
        return Decode(line);
    }

    private static string Decode(string base64)
    {
        var bytes = new byte[base64.Length];
        return Convert.TryFromBase64String(base64, bytes, out var count) ? Encoding.UTF8.GetString(bytes, 0, count) : "";
    }

    private async Task MailAsync(string line)
    {
        if (Options.Username.Length > 0 && !loggedIn)
        {
            wire.Reply("530 5.7.0 log in first");
        }
        else if (sender is not null)
        {
            wire.Reply("503 5.5.1 one message at a time");
        }
        else if (await AskAsync(SmtpStage.MailFrom, line, "", "250 2.1.0 ok"))
        {
            sender = Address(line);
            mailParameters = line[(line.LastIndexOf('>') + 1)..].Trim();
        }
    }

    private async Task RcptAsync(string line)
    {
        if (sender is null && !Options.ForgetsRefusedSenders)
        {
            wire.Reply("503 5.5.1 MAIL first");
        }
        else if (await AskAsync(SmtpStage.RcptTo, line, Address(line), "250 2.1.5 ok"))
        {
            recipients.Add(Address(line));
        }
    }

    private async Task DataAsync(string line)
    {
        if (recipients.Count == 0)
        {
            wire.Reply(sender is null ? "503 5.5.1 MAIL first" : "554 5.5.1 no valid recipients");
        }
        else if (await AskAsync(SmtpStage.Data, line, FirstRecipient, "354 go ahead"))
        {
            if (await wire.ReadBodyAsync(cancel) is { } body)
            {
                await ReceiveAsync(body);
            }
            else
            {
                goesOn = false;
            }
        }
    }

    private async Task ChunkAsync(string line)
    {
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var bytes = await wire.ReadExactlyAsync(int.Parse(words[1], CultureInfo.InvariantCulture), cancel);
        chunks.AddRange(bytes ?? []);
        if (recipients.Count == 0)
        {
            wire.Reply("503 5.5.1 MAIL and RCPT first");
        }
        else if (words.Length > 2)
        {
            await ReceiveAsync(chunks.ToArray());
        }
        else
        {
            wire.Reply("250 2.0.0 chunk taken");
        }
    }

    private async Task ReceiveAsync(ReadOnlyMemory<byte> body)
    {
        var id = MessageId(body.Span);
        var moment = await HeldAsync(server.Decide(SmtpStage.Message, "", FirstRecipient, number, id));
        if (moment is SmtpMove.AcceptMove or SmtpMove.DropMove { Keep: true } or SmtpMove.StallMove { Keep: true }
            || (moment is SmtpMove.ReplyMove { Text: var text } && text.StartsWith('2')))
        {
            var digest = Options.KeepDigests ? Convert.ToHexString(SHA256.HashData(body.Span)) : "";
            var now = TimeProvider.System.GetUtcNow();
            foreach (var recipient in recipients)
            {
                server.Record(new AcceptedMessage(sender!, recipient, id, number, wire.Encrypted, mailParameters, Options.KeepBytes ? body : default, digest, now));
            }
        }

        Forget();
        await DoAsync(moment, "250 2.0.0 kept");
    }

    private async Task ResetAsync(string line)
    {
        Forget();
        await AskAsync(SmtpStage.Other, line, "", "250 2.0.0 ok");
    }

    private async Task QuitAsync(string line)
    {
        await AskAsync(SmtpStage.Other, line, "", "221 2.0.0 bye");
        goesOn = false;
    }

    private void Forget()
    {
        sender = null;
        recipients.Clear();
        chunks.Clear();
    }

    private async Task<bool> AskAsync(SmtpStage stage, string line, string recipient, string usual)
        => await DoAsync(await HeldAsync(server.Decide(stage, line, recipient, number, "")), usual);

    private async Task<SmtpMove> HeldAsync(SmtpMove move)
    {
        while (move is SmtpMove.HoldMove hold)
        {
            await wire.FlushAsync(cancel);
            await hold.Until.WaitAsync(cancel);
            move = hold.Then;
        }

        return move;
    }

    /// <returns>Whether the client was told that it succeeded.</returns>
    private async Task<bool> DoAsync(SmtpMove move, string usual)
    {
        switch (move)
        {
            case SmtpMove.AcceptMove:
                wire.Reply(usual);
                return usual[0] is '2' or '3';
            case SmtpMove.ReplyMove reply:
                wire.Reply(reply.Text);
                goesOn = !reply.ThenClose;
                return reply.Text[0] is '2' or '3' && goesOn;
            case SmtpMove.CutMove cut:
                wire.Reply(usual);
                await wire.ReadExactlyAsync(cut.Bytes, cancel);
                break;
            case SmtpMove.StallMove:
                await wire.DrainAsync(cancel);
                break;
        }

        goesOn = false;
        return false;
    }

    private static string Address(string line)
    {
        var from = line.IndexOf('<', StringComparison.Ordinal) + 1;
        var to = line.LastIndexOf('>');
        return from > 0 && to >= from ? line[from..to] : line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
    }

    private static string MessageId(ReadOnlySpan<byte> body)
    {
        var end = body.IndexOf("\r\n\r\n"u8);
        var header = Encoding.UTF8.GetString(end < 0 ? body : body[..end]).ReplaceLineEndings("\n").Replace("\n ", " ", StringComparison.Ordinal);
        var line = header.Split('\n').FirstOrDefault(l => l.StartsWith("Message-ID:", StringComparison.OrdinalIgnoreCase)) ?? "";
        return line.Length > 11 ? line[11..].Trim().Trim('<', '>') : "";
    }
}
