using System.CommandLine;
using WeeklyDigest.Audience;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Server.Commands;

/// <summary>Arguments and options that several commands share, and how their texts are read.</summary>
internal static class Inputs
{
    /// <summary>ISSUE.</summary>
    public static Argument<string> Issue() => new("ISSUE") { Description = "The issue: its file or its slug." };

    /// <summary>ADDRESS.</summary>
    public static Argument<string> Address() => new("ADDRESS") { Description = "An e-mail address." };

    /// <summary>--json.</summary>
    public static Option<bool> Json() => new("--json") { Description = "Print one JSON document and nothing else." };

    /// <summary>--list NAME.</summary>
    public static Option<string?> List(string description) => new("--list") { HelpName = "NAME", Description = description };

    /// <summary>Reads an address.</summary>
    /// <exception cref="RefusedException">It is none.</exception>
    public static EmailAddress ReadAddress(string text)
        => EmailAddress.TryParse(text, out var address) ? address : throw NoAddress(text);

    /// <summary>Says that a text is no address.</summary>
    public static RefusedException NoAddress(string text) => new($"'{text}' is not an e-mail address.");

    /// <summary>Reads an address with or without a name.</summary>
    /// <exception cref="RefusedException">It is none.</exception>
    public static Mailbox? ReadMailbox(string? text)
        => text is null ? null : MailboxText.Parse(text) ?? throw NoAddress(text);

    /// <summary>Reads a line of stdin, for which no end of the program waits.</summary>
    /// <returns>Null where there is none.</returns>
    public static Task<string?> ReadLineAsync(CommandRun run, CancellationToken cancel) => Task.Run(run.Host.In.ReadLine, CancellationToken.None).WaitAsync(cancel);

    /// <summary>Reads the name of a list.</summary>
    /// <exception cref="RefusedException">It is none.</exception>
    public static ListName? ReadList(string? text)
        => text is null ? null
            : ListName.TryParse(text, out var list) ? list
            : throw new RefusedException($"'{text}' is not the name of a list: 1 to 64 letters, digits, dots, dashes and underscores.");
}
