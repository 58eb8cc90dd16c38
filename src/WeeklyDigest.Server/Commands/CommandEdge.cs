using System.CommandLine;
using WeeklyDigest.Publishing;
using WeeklyDigest.Rendering;
using WeeklyDigest.Server.Settings;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Server.Commands;

/// <summary>The edge of every command: whatever stops one becomes words on stderr that say why and what to do, and an exit code.</summary>
/// <param name="host">The process.</param>
/// <param name="verbose">Whether to show details.</param>
internal sealed class CommandEdge(CommandHost host, Option<bool> verbose)
{
    /// <summary>A command's action.</summary>
    public Func<ParseResult, CancellationToken, Task<int>> Run(Func<CommandRun, ParseResult, CancellationToken, Task<int>> action)
        => (parsed, cancel) => RunAsync(action, parsed, cancel);

    private async Task<int> RunAsync(Func<CommandRun, ParseResult, CancellationToken, Task<int>> action, ParseResult parsed, CancellationToken cancel)
    {
        var details = parsed.GetValue(verbose);
        try
        {
            await using var run = new CommandRun(host, details);
            return await action(run, parsed, cancel);
        }
        catch (OperationCanceledException end) when (cancel.IsCancellationRequested)
        {
            return await FailAsync(end is InterruptedException ? end.Message : "Interrupted; run it again to resume.", CommandLine.Failed);
        }
#pragma warning disable CA1031 // The edge: nothing is above it but the runtime's own stack trace.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            var code = await FailAsync(Explain(exception, details), exception is RefusedException { IsUsage: true } ? CommandLine.WrongUsage : CommandLine.Failed);
            if (details) await host.Error.WriteLineAsync(exception.ToString());
            return code;
        }
    }

    private static string Explain(Exception exception, bool details) => exception switch
    {
        SettingsException settings => $"The settings cannot be used:\n{string.Join('\n', settings.Problems.Select(problem => "  " + problem))}",
        _ when FolderTrouble.IsFullDisk(exception) => $"The disk is full: {exception.Message.TrimEnd('.')}. Make room, then run the same command again: what was done stays done.",
        RefusedException or StorageException or TemplateException or RelayException or IOException or UnauthorizedAccessException => exception.Message,
        _ => $"Unexpected error: {exception.GetType().Name}: {exception.Message}{(details ? "" : "\nRun it again with --verbose for the details.")}",
    };

    private async Task<int> FailAsync(string message, int code)
    {
        await host.Out.FlushAsync(CancellationToken.None);
        await host.Error.WriteLineAsync(message);
        return code;
    }
}
