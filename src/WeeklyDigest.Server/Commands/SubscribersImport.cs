using System.CommandLine;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Commands;

/// <summary><c>subscribers import FILE [--list NAME]</c>: a CSV file as subscribers/README.md documents it, whole or not at all.</summary>
internal static class SubscribersImport
{
    /// <summary>The command.</summary>
    public static Command Create(CommandEdge edge)
    {
        var file = new Argument<string>("FILE") { Description = "A CSV file with a column email." };
        var list = Inputs.List("The list they join. Default: the file's name.");
        var command = new Command("import", "Import subscribers from a CSV file. Who unsubscribed does not come back.") { file, list };
        command.SetAction(edge.Run(async (run, parsed, cancel) =>
        {
            var path = run.PathOf(parsed.GetRequiredValue(file));
            if (Directory.Exists(path)) throw new RefusedException($"{path} is a folder; name a CSV file.");
            if (!File.Exists(path)) throw new RefusedException($"There is no file {path}.");
            var name = Inputs.ReadList(parsed.GetValue(list) ?? Path.GetFileNameWithoutExtension(path))!;
            var installation = await run.OpenAsync(cancel);
            await ListReports.WriteAsync(run, [await installation.SyncLists.ImportAsync(path, name, run.Settings.Paths.Data, cancel)]);
            return CommandLine.Done;
        }));
        return command;
    }
}
