using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Settings;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Server.Commands;

/// <summary><c>config</c>: the settings in force, secrets masked, in the form of appsettings.json; comments say what came from elsewhere.</summary>
internal static class ConfigCommand
{
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>The command.</summary>
    public static Command Create(CommandEdge edge)
    {
        var json = Inputs.Json();
        var command = new Command("config", "Show the settings in force, secrets masked.") { json, HashPassword.Create(edge) };
        command.SetAction(edge.Run(async (run, parsed, cancel) =>
        {
            var settings = run.Settings;
            if (parsed.GetValue(json)) await Json.WriteAsync(run.Out, Tree(settings.Effective));
            else await WriteAsync(run.Out, settings, await OfScheduleAsync(settings, run.Host.Time, cancel));
            return CommandLine.Done;
        }));
        return command;
    }

    private static async Task WriteAsync(TextWriter target, ServerSettings settings, string? note)
    {
        await target.WriteLineAsync($"// {settings.File}");
        await target.WriteLineAsync($"// Relative paths count from {settings.Root}");
        if (note is not null) await target.WriteLineAsync($"// {note}");
        await target.WriteLineAsync("{");
        await WriteMembersAsync(target, settings.Effective, prefix: "", indent: "  ");
        await target.WriteLineAsync("}");
    }

    // The settings are told also where the database cannot be asked, and soon.
    private static async Task<string?> OfScheduleAsync(ServerSettings settings, TimeProvider time, CancellationToken cancel)
    {
        try
        {
            if (!Database.Exists(settings.Storage)) return null;
            var told = await Task.Run(() => ToldAsync(settings, time, cancel), cancel).WaitAsync(Patience, time, cancel);
            return told is null ? null
                : $"Newsletter:Schedule below is not in force. The page Issues was told {told.Cron} ({told.TimeZone}){(told.IsOn ? "" : ", switched off")}; that holds until a server starts with another Newsletter:Schedule";
        }
        catch (Exception failure) when (failure is StorageException or RefusedException or TimeoutException)
        {
            return "Whether the page Issues was told another schedule cannot be said: the database does not open. `weeklydigest doctor` says why";
        }
    }

    private static async Task<Schedule?> ToldAsync(ServerSettings settings, TimeProvider time, CancellationToken cancel)
    {
        using var database = Installation.OpenDatabase(settings, time);
        return await database.Schedules.FindAsync(cancel) is { IsTold: true } told ? told : null;
    }

    private static async Task WriteMembersAsync(TextWriter target, IReadOnlyList<EffectiveSetting> all, string prefix, string indent)
    {
        var members = Members(all, prefix);
        for (var i = 0; i < members.Count; i++)
        {
            var (key, path, comma) = (members[i], prefix + members[i], i < members.Count - 1 ? "," : "");
            var name = IsIndex(key) ? "" : JsonSerializer.Serialize(key, Readable) + ": ";
            if (all.FirstOrDefault(setting => setting.Path == path) is { } leaf)
            {
                await target.WriteLineAsync($"{indent}{name}{JsonSerializer.Serialize(leaf.Value, Readable)}{comma}{Comment(leaf)}");
                continue;
            }
            var isArray = Members(all, path + ":").All(IsIndex);
            await target.WriteLineAsync($"{indent}{name}{(isArray ? "[" : "{")}");
            await WriteMembersAsync(target, all, path + ":", indent + "  ");
            await target.WriteLineAsync($"{indent}{(isArray ? "]" : "}")}{comma}");
        }
    }

    private static string Comment(EffectiveSetting setting) => setting.Origin == "appsettings.json" ? "" : $" // {setting.Origin}";

    private static List<string> Members(IReadOnlyList<EffectiveSetting> all, string prefix)
        => [.. all.Where(setting => setting.Path.StartsWith(prefix, StringComparison.Ordinal)).Select(setting => setting.Path[prefix.Length..].Split(':')[0]).Distinct()];

    private static bool IsIndex(string key) => key.All(char.IsAsciiDigit);

    private static JsonNode Tree(IReadOnlyList<EffectiveSetting> all, string prefix = "")
    {
        var members = Members(all, prefix);
        JsonNode? Node(string key) => all.FirstOrDefault(setting => setting.Path == prefix + key) is { } leaf
            ? JsonSerializer.SerializeToNode(leaf.Value)
            : Tree(all, prefix + key + ":");
        return members.All(IsIndex)
            ? new JsonArray([.. members.Select(Node)])
            : new JsonObject(members.Select(key => KeyValuePair.Create(key, Node(key))));
    }
}
