using System.CommandLine;
using System.Net.NetworkInformation;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Server.Settings;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Server.Commands;

/// <summary>
/// <c>demo</c>: publishes the newest issue to the sample list into the built-in inbox, then serves. Everything it keeps is in a folder of its
/// own that goes when it ends; relays in the settings are not used, so that nothing leaves the machine.
/// </summary>
internal static class DemoCommand
{
    private const string SampleList = "sample";

    /// <summary>The command.</summary>
    public static Command Create(CommandEdge edge)
    {
        var urls = ServeCommand.UrlsOption();
        var command = new Command("demo", "Try it out: publish the newest issue into the built-in inbox, then serve.") { urls };
        command.SetAction(edge.Run((run, parsed, cancel) => RunAsync(run, parsed.GetValue(urls), cancel)));
        return command;
    }

    private static async Task<int> RunAsync(CommandRun run, string? urls, CancellationToken cancel)
    {
        var settings = run.LoadOrExample(ServeCommand.Overrides(urls));
        var folder = Directory.CreateTempSubdirectory("weeklydigest-demo-").FullName;
        try
        {
            return await RunAsync(run, Throwaway(settings, folder), cancel);
        }
        finally
        {
            await run.DisposeAsync();
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<int> RunAsync(CommandRun run, ServerSettings settings, CancellationToken cancel)
    {
        var issue = Newest(settings.Paths.Issues);
        var installation = await run.OpenAsync(settings, null, cancel);
        JobTypes.RefuseOthers();
        await using var server = WebServer.Build(installation, settings.Urls);
        var code = CommandLine.Done;
        await Listening.StartAsync(server, settings.Urls, async () => code = await ShowAsync(run, installation, server, issue, cancel), cancel);
        await server.WaitForShutdownAsync(cancel);
        return code;
    }

    private static async Task<int> ShowAsync(CommandRun run, Installation installation, WebApplication server, IssueFile issue, CancellationToken cancel)
    {
        await run.Out.WriteLineAsync("The demo: nothing leaves this machine; the built-in inbox receives every message.");
        var published = await installation.PublishIssue.RunAsync(
            issue, Inputs.ReadList(SampleList), null, reports => ListReports.WriteAsync(run, reports), cancel);
        var code = await new Delivering(run, installation).RunAsync(published, wait: false, cancel);
        await ServeCommand.WriteAddressesAsync(run.Out, server, installation, cancel);
        await run.Out.WriteLineAsync($"Ctrl-C ends it and removes {installation.Settings.Paths.Data}");
        return code;
    }

    private static IssueFile Newest(string folder)
    {
        var files = new IssueLibrary(folder).All();
        var ready = files.LastOrDefault(file => file is { IsValid: true, Issue.Draft: false });
        if (ready is null && files is [.., { IsValid: false } broken]) Findings.Require(broken);
        return ready ?? throw new RefusedException($"There is no issue to publish in {folder}; write one, or remove 'draft: true' from it.");
    }

    private static ServerSettings Throwaway(ServerSettings settings, string folder)
    {
        IReadOnlyList<string> urls = settings.Urls is [SettingsLoader.DefaultUrl] ? [$"http://127.0.0.1:{FreePort()}"] : settings.Urls;
        return settings with
        {
            Relays = [],
            Inbox = settings.Inbox with { Port = 0 },
            Paths = settings.Paths with { Data = folder, TemplateCache = PathsSettings.CacheIn(folder) },
            Storage = new StorageOptions { ConnectionString = Path.Combine(folder, "weeklydigest.db") },
            Urls = urls,
            Newsletter = settings.Newsletter with { BaseUrl = NewsletterReader.BaseOf(urls[0]) },
        };
    }

    // 5080, so that the address is the one in the README; the next free one where something else listens there.
    private static int FreePort()
    {
        var taken = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Select(listener => listener.Port).ToHashSet();
        return Enumerable.Range(5080, 1000).First(port => !taken.Contains(port));
    }
}
