using System.CommandLine;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Desk;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Server.Commands;

/// <summary><c>serve</c>, also when no command is given: the schedule, the dashboard and the public pages, until Ctrl-C, SIGTERM, SIGQUIT or SIGHUP. A database that is away at the start, or a full disk, is waited for.</summary>
internal static class ServeCommand
{
    private static readonly TimeSpan TryAgain = TimeSpan.FromSeconds(2);

    /// <summary>The command.</summary>
    public static Command Create(CommandEdge edge)
    {
        var command = new Command("serve", "Run schedule, dashboard and public pages (no command does the same).");
        Fill(command, edge);
        return command;
    }

    /// <summary>Makes a command serve.</summary>
    public static void Fill(Command command, CommandEdge edge)
    {
        var urls = UrlsOption();
        command.Add(urls);
        command.SetAction(edge.Run((run, parsed, cancel) => RunAsync(run, parsed.GetValue(urls), cancel)));
    }

    /// <summary>--urls.</summary>
    public static Option<string?> UrlsOption() => new("--urls") { HelpName = "URLS", Description = "What to listen on, separated by semicolons. Default: Urls in the settings." };

    /// <summary>The settings given as options.</summary>
    public static Dictionary<string, string?> Overrides(string? urls) => urls is null ? [] : new() { ["Urls"] = urls };

    /// <summary>Prints where everything is, with a link that lets its holder in once.</summary>
    public static async Task WriteAddressesAsync(TextWriter target, WebApplication server, Installation installation, CancellationToken cancel)
    {
        var newsletter = installation.Newsletter;
        var origin = server.Urls.First().TrimEnd('/');
        await target.WriteLineAsync($"Sign in    {await server.Services.GetRequiredService<SignIn>().NewLinkAsync(cancel)}");
        await target.WriteLineAsync($"Dashboard  {origin}/hangfire");
        if (installation.Settings.Relays.Count == 0) await target.WriteLineAsync($"Inbox      {origin}/inbox");
        await target.WriteLineAsync($"Archive    {newsletter.UrlOf("/")}");
    }

    private static async Task<int> RunAsync(CommandRun run, string? urls, CancellationToken cancel)
    {
        var settings = run.Load(Overrides(urls));
        await using var server = await StartAsync(run, settings, cancel);
        return server is null ? CommandLine.Done : await WaitAsync(server, run.Host.LateEnd, run.Error, cancel);
    }

    /// <summary>Waits for the end. One that nobody asked for is a failure, so that a supervisor starts the server again.</summary>
    public static async Task<int> WaitAsync(WebApplication server, LateEnd lateEnd, TextWriter error, CancellationToken cancel)
    {
        try
        {
            await server.WaitForShutdownAsync(cancel);
        }
        catch (Exception late) when (cancel.IsCancellationRequested && late is OperationCanceledException or AggregateException)
        {
            if (lateEnd.IsNews()) await error.WriteLineAsync(LateEnd.Words);
            return CommandLine.Failed;
        }
        if (cancel.IsCancellationRequested) return CommandLine.Done;
        await error.WriteLineAsync("The server has stopped by itself; the log says why.");
        return CommandLine.Failed;
    }

    // A machine that boots may start us before its database. What only another setting mends ends the command instead.
    private static async Task<WebApplication?> StartAsync(CommandRun run, ServerSettings settings, CancellationToken cancel)
    {
        for (string? told = null; ;)
        {
            try
            {
                return await TryStartAsync(run, settings, cancel);
            }
            catch (Exception failure) when (failure is StorageException { IsAway: true } || FolderTrouble.IsFullDisk(failure))
            {
                var words = FolderTrouble.IsFullDisk(failure) ? $"The disk is full: {failure.Message.TrimEnd('.')}. Make room." : failure.Message;
                // What a full disk did not take is another file each time.
                var news = FolderTrouble.IsFullDisk(failure) ? nameof(FolderTrouble) : words;
                if (told != news) await run.Error.WriteLineAsync($"{words}\nThis is waited for, and nothing is served or sent until then. Ctrl-C ends.");
                told = news;
            }
            await run.DisposeAsync();
            if (await IsEndedWithinAsync(TryAgain, run.Host.Time, cancel)) return null;
        }
    }

    private static async Task<bool> IsEndedWithinAsync(TimeSpan pause, TimeProvider time, CancellationToken cancel)
    {
        await Task.WhenAny(Task.Delay(pause, time, cancel));
        return cancel.IsCancellationRequested;
    }

    private static async Task<WebApplication> TryStartAsync(CommandRun run, ServerSettings settings, CancellationToken cancel)
    {
        var installation = await run.OpenAsync(settings, null, cancel);
        await installation.RequireSendableAsync(cancel);
        await ListReports.WriteAsync(run, await installation.SyncLists.RunAsync(WantedLists.Every, cancel).WaitAsync(cancel));
        JobTypes.RefuseOthers();
        var server = WebServer.Build(installation, settings.Urls);
        try
        {
            await Listening.StartAsync(server, settings.Urls, () => WriteAddressesAsync(run.Out, server, installation, cancel), cancel);
            run.EndNotices();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }
}
