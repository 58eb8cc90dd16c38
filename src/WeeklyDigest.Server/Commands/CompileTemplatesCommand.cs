using System.CommandLine;
using System.Text.Json;
using WeeklyDigest.Publishing;
using WeeklyDigest.Rendering.Razor;

namespace WeeklyDigest.Server.Commands;

/// <summary>
/// <c>compile-templates</c>, which the program says to itself (<see cref="CompilerProcess"/>): views as a JSON array of texts on stdin,
/// what became of each on stdout. Needs no settings.
/// </summary>
internal static class CompileTemplatesCommand
{
    /// <summary>The command's name.</summary>
    public const string Name = "compile-templates";

    /// <summary>The command.</summary>
    public static Command Create(CommandEdge edge)
    {
        var command = new Command(Name, "Compile templates for another process of this program.") { Hidden = true };
        command.SetAction(edge.Run(async (run, _, cancel) =>
        {
            var views = await ViewCompiler.CompileAsync(Texts(await run.Host.In.ReadToEndAsync(cancel)), cancel);
            await run.Out.WriteAsync(JsonSerializer.Serialize(views));
            return CommandLine.Done;
        }));
        return command;
    }

    private static string[] Texts(string json)
    {
        try
        {
            return JsonSerializer.Deserialize<string[]>(json) ?? [];
        }
        catch (JsonException)
        {
            throw new RefusedException("This command is the program's own; it expects a JSON array of views on stdin.");
        }
    }
}
