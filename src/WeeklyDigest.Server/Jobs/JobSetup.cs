using System.Data.Common;
using Hangfire;
using Hangfire.AspNetCore;
using Hangfire.Client;
using Hangfire.Common;
using Hangfire.Server;
using Hangfire.States;
using Hangfire.Storage.SQLite;
using WeeklyDigest.Server.Settings;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Server.Jobs;

/// <summary>Hangfire: its storage, its server, and the jobs.</summary>
internal static partial class JobSetup
{
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(10);

    // The page of a job shows what was sent for as long as the next few issues may ask.
    private static readonly TimeSpan History = TimeSpan.FromDays(31);

    /// <summary>Registers Hangfire, the jobs and what they need.</summary>
    public static void Add(IServiceCollection services, Installation installation)
    {
        var settings = installation.Settings;
        services.AddSingleton<JobStorage>(_ => Storage(settings, installation.Database));
        // Hangfire's default is a static field that the latest server in this process wins.
        services.AddSingleton<JobActivator>(provider => new AspNetCoreJobActivator(provider.GetRequiredService<IServiceScopeFactory>()));
        services.AddHangfire(configuration => configuration
            .SetDataCompatibilityLevel(CompatibilityLevel.Version_180)
            .UseSimpleAssemblyNameTypeSerializer()
            .UseRecommendedSerializerSettings());
        AddStates(services);
        services.AddSingleton<WeeklySchedule>();
        services.AddSingleton<RecurringJobs>();
        if (settings.Jobs.Workers > 0) AddServer(services, settings);
        else services.AddHostedService(provider => new IdleServer(provider.GetRequiredService<JobStorage>(), ServerTimeout(settings)));
        services.AddSingleton<JobEdge>();
        services.AddSingleton<DeliveryRuns>();
        services.AddSingleton<JoinedMailings>();
        services.AddSingleton<Candidates>();
        services.AddSingleton<IssueSending>();
        services.AddTransient<WeeklyDigestJob>();
        services.AddTransient<ScheduledDigestJob>();
        services.AddTransient<ScheduleJob>();
        services.AddTransient<PreviewJob>();
        services.AddTransient<SendIssueJob>();
        services.AddTransient<DeliverMailingJob>();
        services.AddSingleton<LedgerWatch>();
        services.AddHostedService(provider => provider.GetRequiredService<LedgerWatch>());
        if (settings.Storage.Provider == "postgres") services.AddHostedService<ClockWatch>();
    }

    /// <summary>Looks whether a file of jobs can be opened as it is, and changes nothing.</summary>
    /// <param name="file">The file; where there is none, a start makes it.</param>
    /// <param name="patience">How long a look at all of it may take.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="StorageException">It cannot, in the words of a start.</exception>
    public static void Look(string file, TimeSpan patience, TimeProvider time)
    {
        try
        {
            LookAt(file, patience, time);
        }
        catch (DbException problem)
        {
            throw Explain(problem, file);
        }
    }

    // Hangfire takes these three together or none.
    private static void AddStates(IServiceCollection services)
    {
        services.AddSingleton<IBackgroundJobFactory>(_ => new BackgroundJobFactory(JobFilterProviders.Providers));
        services.AddSingleton<IBackgroundJobPerformer>(provider => new BackgroundJobPerformer(JobFilterProviders.Providers, provider.GetRequiredService<JobActivator>()));
        services.AddSingleton<IBackgroundJobStateChanger>(_ => new JobStates(new BackgroundJobStateChanger(JobFilterProviders.Providers)));
    }

    // Who runs no jobs has no schedule.
    private static void AddServer(IServiceCollection services, ServerSettings settings)
    {
        // Before the server that runs what is due.
        services.AddHostedService(provider => provider.GetRequiredService<RecurringJobs>());
        services.AddHangfireServer(options =>
        {
            options.ServerName = Environment.MachineName;
            options.WorkerCount = settings.Jobs.Workers;
            options.ShutdownTimeout = DrainTime;
            options.ServerTimeout = ServerTimeout(settings);
            options.CancellationCheckInterval = TimeSpan.FromSeconds(1);
            options.SchedulePollingInterval = TimeSpan.FromSeconds(5);
        });
    }

    // Without a sign of life for so long, as on a full disk, Hangfire starts its server anew and interrupts what that is sending. jobs.db does not need
    // it to know who is dead, so it is as long as Hangfire lets it be; on PostgreSQL it is what takes a dead node off the page Nodes.
    private static TimeSpan ServerTimeout(ServerSettings settings) => settings.Storage.Provider == "postgres" ? TimeSpan.FromMinutes(5) : TimeSpan.FromHours(24);

    // The one place that says where jobs are kept: beside the ledger.
    private static JobStorage Storage(ServerSettings settings, Database database)
        => settings.Storage.Provider == "postgres" ? PostgresJobs.Open(database, settings.Storage.ConnectionString, History) : Storage(settings.Paths.Jobs);

    // No option is set: what the package of that name would take for a lease is another
    // thing than what ours does, and each has its own defaults.
    private static SQLiteStorage Storage(string file)
        => Opened(file, () => GlobalConfiguration.Configuration.UseSQLiteStorage(file, new SQLiteStorageOptions()).WithJobExpirationTimeout(History).Entry);

    /// <summary>Opens a file of jobs.</summary>
    /// <param name="file">The file.</param>
    /// <param name="open">Opens it. The package has exceptions of its own kind for what ours says in a database's.</param>
    /// <exception cref="StorageException">It cannot be opened; says what to do.</exception>
    internal static T Opened<T>(string file, Func<T> open)
    {
        try
        {
            return open();
        }
        catch (DbException problem)
        {
            throw Explain(problem, file);
        }
        catch (Exception problem) when (problem is not (IOException or UnauthorizedAccessException))
        {
            throw new StorageException($"The file {file} cannot be used to keep jobs in ({problem.Message.TrimEnd('.')}). Is it of a build with another job storage? Move it away. {Anew(file)}", problem);
        }
    }

    private static StorageException Explain(DbException problem, string file)
        => problem.IsTransient ? new StorageException(problem.Message, problem) { IsAway = true } : new StorageException($"{problem.Message} {Anew(file)}", problem);

    private static string Anew(string file) => $"Where no {Path.GetFileName(file)} is, a new one is made: jobs are forgotten then, mailings are not.";

    static partial void LookAt(string file, TimeSpan patience, TimeProvider time);
}
