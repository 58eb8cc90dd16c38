using System.CommandLine;
using System.CommandLine.Parsing;
using WeeklyDigest.Feedback;
using WeeklyDigest.Server.Commands.Doctor;
using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Server.Commands;

/// <summary>The command line: DESIGN's table of commands. No command is <c>serve</c>.</summary>
internal static class CommandLine
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>Refused or failed; the reason is on stderr.</summary>
    public const int Failed = 1;

    /// <summary>Wrong usage.</summary>
    public const int WrongUsage = 2;

    /// <summary>Finished, but deliveries are deferred, failed or uncertain.</summary>
    public const int NeedsAttention = 3;

    /// <summary>Runs a command.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, CommandHost host)
    {
        var root = Create(host);
        // An argument that starts with @ is an argument, not a file of arguments.
        var parsed = root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        var wrong = Wrong(parsed);
        if (wrong.Count > 0) return await ExplainAsync(wrong, parsed, root, host);
        var code = await parsed.InvokeAsync(new InvocationConfiguration
        {
            Output = host.Out, Error = host.Error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null,
        }, host.Stopping);
        await host.Out.FlushAsync(CancellationToken.None);
        return code;
    }

    private static RootCommand Create(CommandHost host)
    {
        var verbose = new Option<bool>("--verbose") { Description = "Show more in the log, and the details of unexpected errors.", Recursive = true };
        var edge = new CommandEdge(host, verbose);
        var root = new RootCommand("WeeklyDigest publishes a weekly e-mail newsletter.")
        {
            verbose,
            ServeCommand.Create(edge),
            DemoCommand.Create(edge),
            CheckCommand.Create(edge),
            RenderCommand.Create(edge),
            PreviewCommand.Create(edge),
            SendCommand.Create(edge),
            StatusCommand.Create(edge),
            DeliveriesCommand.Create(edge),
            StateCommands.Pause(edge),
            StateCommands.Resume(edge),
            StateCommands.Cancel(edge),
            DecisionCommands.Resolve(edge),
            DecisionCommands.Retry(edge),
            SubscribersCommand.Create(edge),
            DoctorCommand.Create(edge),
            MoveCommand.Create(edge),
            ConfigCommand.Create(edge),
            CompileTemplatesCommand.Create(edge),
        };
        ServeCommand.Fill(root, edge);
        return root;
    }

    // Words that mean nothing come first: what else is amiss follows from them. A misspelt option would pass for an argument; of the tokens in mails that
    // unsubscribe one in sixty-four begins with a dash as well.
    private static IReadOnlyList<string> Wrong(ParseResult parsed)
    {
        var strange = parsed.UnmatchedTokens.ToList();
        if (parsed.Tokens.All(token => token.Type != TokenType.DoubleDash))
            strange.AddRange(parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens)
                .Select(token => token.Value).Where(value => value.StartsWith('-') && !LinkTokens.HasForm(value)));
        return strange.Count > 0
            ? [.. strange.Select(word => $"Unrecognized command or argument '{word}'.{DidYouMean(word, parsed.CommandResult.Command)}")]
            : [.. parsed.Errors.Select(error => error.Message).Distinct()];
    }

    private static string DidYouMean(string word, Command command)
        => Spelling.Nearest(word, [.. command.Subcommands.Where(sub => !sub.Hidden).Select(sub => sub.Name), .. command.Options.Select(option => option.Name)]) is { } nearest
            ? $" Did you mean {nearest}?"
            : "";

    private static async Task<int> ExplainAsync(IEnumerable<string> wrong, ParseResult parsed, RootCommand root, CommandHost host)
    {
        foreach (var problem in wrong) await host.Error.WriteLineAsync(problem);
        await host.Error.WriteLineAsync($"See: weeklydigest {(parsed.CommandResult.Command == root ? "" : PathOf(parsed.CommandResult) + " ")}--help");
        return WrongUsage;
    }

    private static string PathOf(CommandResult result)
        => result.Parent is CommandResult { Parent: not null } parent ? PathOf(parent) + " " + result.Command.Name : result.Command.Name;
}
