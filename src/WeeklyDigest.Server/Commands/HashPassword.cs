using System.CommandLine;
using Spectre.Console;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Desk;

namespace WeeklyDigest.Server.Commands;

/// <summary><c>config hash-password</c>: asks for a password (or reads a line of stdin) and prints what goes into Editors:Users:PasswordHash.</summary>
internal static class HashPassword
{
    private const int Shortest = 12;

    /// <summary>The command.</summary>
    public static Command Create(CommandEdge edge)
    {
        var command = new Command("hash-password", "Make the hash of an editor's password; reads it from the terminal or from stdin, never from the command line.");
        command.SetAction(edge.Run(async (run, _, cancel) =>
        {
            var password = run.Host.InIsTerminal
                ? await Asking(run).PromptAsync(new TextPrompt<string>("Password:").Secret(), cancel)
                : await Inputs.ReadLineAsync(run, cancel) ?? "";
            if (password.Length == 0) throw new RefusedException("No password was given; type one, or pipe it in.");
            if (password.Length < Shortest) throw new RefusedException($"The password is shorter than {Shortest} characters; choose a longer one.");
            await run.Out.WriteLineAsync(EditorPasswords.Hash(password));
            return CommandLine.Done;
        }));
        return command;
    }

    // Whoever types into a terminal is asked there, and what is typed stays hidden, also when the hash goes into a file.
    private static IAnsiConsole Asking(CommandRun run)
    {
        // From the first look at its keys on the terminal shows none by itself: that comes before the question, behind which somebody may type at once.
        _ = Console.KeyAvailable;
        return run.Host.OutIsTerminal
            ? run.Console
            : AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(run.Error), Ansi = AnsiSupport.No, Interactive = InteractionSupport.Yes });
    }
}
