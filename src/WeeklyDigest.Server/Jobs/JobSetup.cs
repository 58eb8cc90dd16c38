using Hangfire;
using Hangfire.AspNetCore;
using Hangfire.InMemory;
using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Server.Jobs;

/// <summary>Hangfire: its storage, its server, and the recurring jobs, which are written anew from settings at each start.</summary>
internal static class JobSetup
{
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(10);

    /// <summary>Registers Hangfire, the jobs and what they need.</summary>
    public static void Add(IServiceCollection services, ServerSettings settings)
    {
        services.AddSingleton<JobStorage>(Storage());
        // Hangfire's default is a static field that the latest server in this process wins.
        services.AddSingleton<JobActivator>(provider => new AspNetCoreJobActivator(provider.GetRequiredService<IServiceScopeFactory>()));
        services.AddHangfire(configuration => configuration
            .SetDataCompatibilityLevel(CompatibilityLevel.Version_180)
            .UseSimpleAssemblyNameTypeSerializer()
            .UseRecommendedSerializerSettings());
        services.AddHangfireServer(options =>
        {
            options.WorkerCount = settings.Jobs.Workers;
            options.ShutdownTimeout = DrainTime;
            options.CancellationCheckInterval = TimeSpan.FromSeconds(1);
            options.SchedulePollingInterval = TimeSpan.FromSeconds(5);
        });
        services.Configure<HostOptions>(options => options.ShutdownTimeout = DrainTime + TimeSpan.FromSeconds(5));
        services.AddSingleton<DeliveryRuns>();
        services.AddSingleton<Candidates>();
        services.AddSingleton<IssueSending>();
        services.AddTransient<WeeklyDigestJob>();
        services.AddTransient<PreviewJob>();
        services.AddTransient<SendIssueJob>();
        services.AddTransient<DeliverMailingJob>();
        services.AddHostedService<LedgerWatch>();
    }

    /// <summary>Writes the recurring jobs.</summary>
    public static void Schedule(IRecurringJobManager jobs, ScheduleSettings schedule)
    {
        jobs.AddOrUpdate<WeeklyDigestJob>(WeeklyDigestJob.Name, job => job.RunAsync(null, CancellationToken.None), schedule.Cron,
            new RecurringJobOptions { TimeZone = schedule.TimeZone });
        jobs.AddOrUpdate<PreviewJob>(PreviewJob.Name, job => job.RunAsync(null, CancellationToken.None), Cron.Never());
    }

    // The one place that says where jobs are kept. Lost with the process, which is no loss: the ledger knows what is to be sent.
    private static InMemoryStorage Storage() => new InMemoryStorage(new InMemoryStorageOptions { MaxExpirationTime = TimeSpan.FromDays(7) });
}
