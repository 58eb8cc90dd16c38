using System.Globalization;
using WeeklyDigest.Server.Dashboard;
using WeeklyDigest.Server.Desk;
using WeeklyDigest.Server.Inbox;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Server.Public;

namespace WeeklyDigest.Server;

/// <summary>The web server of an installation: public pages, the editor's side, and the jobs that run beside them.</summary>
internal static class WebServer
{
    private const long LargestRequest = 1024 * 1024;

    // Longer than a delivery that drains takes, and shorter than the program gives itself: who has not sent his request by then, or not read his page, is cut off.
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(8.5);

    private static readonly CultureInfo English = CultureInfo.GetCultureInfo("en");

    /// <summary>Builds it; nothing listens and no job runs before it is started.</summary>
    /// <param name="installation">The installation; stays the caller's.</param>
    /// <param name="urls">What to listen on, as Kestrel reads it.</param>
    /// <returns>The server. Its service <see cref="SignIn"/> makes sign-in links once it runs.</returns>
    public static WebApplication Build(Installation installation, IReadOnlyList<string> urls)
    {
        var settings = installation.Settings;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "weeklydigest", ContentRootPath = settings.Root });
        builder.Configuration.AddConfiguration(settings.Configuration);
        builder.WebHost.UseKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = LargestRequest;
            kestrel.Configure(settings.Configuration.GetSection("Kestrel"));
        }).UseUrls([.. urls]);
        AddServices(builder.Services, installation);
        var app = builder.Build();
        Map(app, installation);
        return app;
    }

    private static void AddServices(IServiceCollection services, Installation installation)
    {
        var trouble = new KnownTrouble(installation.Database, installation.Time);
        services.AddSingleton(trouble);
        services.AddSingleton<IHostLifetime, ProgramLifetime>();
        // Side by side: nothing that sends goes on because somebody does not finish a request.
        services.Configure<HostOptions>(options => (options.ServicesStopConcurrently, options.ShutdownTimeout) = (true, StopLimit));
        services.AddSingleton<ILoggerFactory>(_ => new WebLogs(installation.Logs, trouble));
        services.AddSingleton(typeof(ILogger<>), typeof(Logger<>));
        services.AddSingleton(installation.Settings);
        services.AddSingleton(installation.Settings.Schedule);
        services.AddSingleton(installation.Newsletter);
        services.AddSingleton(installation.Time);
        services.AddSingleton(installation.Database);
        services.AddSingleton(installation.Database.Subscribers);
        services.AddSingleton(installation.Database.Mailings);
        services.AddSingleton(installation.Database.Schedules);
        services.AddSingleton(installation.Issues);
        services.AddSingleton(installation.PublishIssue);
        services.AddSingleton(installation.FileChanges);
        services.AddSingleton(installation.DeliveryEngine);
        services.AddSingleton(installation.PreviewIssue);
        services.AddSingleton(installation.SyncLists);
        services.AddSingleton(installation.RelaysAside);
        services.AddSingleton(installation.Unsubscribe);
        services.AddSingleton(new InboxStore(installation.Settings.Paths.Inbox));
        services.AddSingleton<ArchivePages>();
        services.AddSingleton<UnsubscribePages>();
        services.AddSingleton<SignInPages>();
        services.AddSingleton<InboxPages>();
        services.AddSingleton<IssueOverview>();
        services.AddSingleton<SchedulePage>();
        services.AddSingleton(installation.RescheduleIssue);
        services.AddSingleton<TimePage>();
        services.AddSingleton<NodeOverview>();
        services.AddSingleton<IssueActions>();
        services.AddSingleton(installation.DecideDeliveries);
        services.AddSingleton<IssueDecisions>();
        services.AddRouting();
        services.AddExceptionHandler(options => (options.ExceptionHandler, options.SuppressDiagnosticsCallback) = (ProblemPages.AnswerAsync, ProblemPages.IsKnown));
        EditorsOnly.Add(services, installation);
        JobSetup.Add(services, installation);
    }

    private static void Map(WebApplication app, Installation installation)
    {
        app.UseExceptionHandler();
        app.Use(InEnglish);
        app.UseRouting();
        app.Use(PagePolicy.Apply);
        app.UseAuthentication();
        app.UseAuthorization();
        SiteFiles.Map(app);
        HealthPages.Map(app);
        app.Services.GetRequiredService<UnsubscribePages>().Map(app);
        app.Services.GetRequiredService<SignInPages>().Map(app);
        app.Services.GetRequiredService<InboxPages>().Map(app);
        DashboardSetup.Map(app, installation.Newsletter);
        app.MapGet("/desk/{**rest}", () => Results.LocalRedirect(SignInPages.Home)).RequireAuthorization().WithMetadata(PagePolicy.Desk);
        app.Map("/api/{**rest}", () => Results.NotFound()).RequireAuthorization().WithMetadata(PagePolicy.Desk);
        app.Services.GetRequiredService<ArchivePages>().Map(app);
    }

    // Whatever language the machine speaks: Hangfire names the one of its pages, and takes its words, from here.
    private static Task InEnglish(HttpContext context, RequestDelegate next)
    {
        CultureInfo.CurrentUICulture = English;
        return next(context);
    }
}
