using Hangfire;
using Hangfire.Common;
using Hangfire.Server;
using Hangfire.Storage.SQLite;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Storage;
using WeeklyDigest.Tests.Databases;

namespace WeeklyDigest.Tests.Jobs;

/// <summary>What a row of Hangfire's tables may name.</summary>
public sealed class JobTypesTests
{
    [Theory]
    [InlineData(typeof(WeeklyDigestJob))]
    [InlineData(typeof(ScheduledDigestJob))]
    [InlineData(typeof(ScheduleJob))]
    [InlineData(typeof(PreviewJob))]
    [InlineData(typeof(SendIssueJob))]
    [InlineData(typeof(DeliverMailingJob))]
    [InlineData(typeof(string))]
    [InlineData(typeof(string[]))]
    [InlineData(typeof(long))]
    [InlineData(typeof(DateTimeOffset))]
    [InlineData(typeof(PerformContext))]
    [InlineData(typeof(CancellationToken))]
    public void What_the_jobs_of_this_program_need_is_found_however_it_was_written(Type type)
    {
        Assert.Equal(type, JobTypes.Resolve(TypeHelper.SimpleAssemblyTypeSerializer(type)));
        Assert.Equal(type, JobTypes.Resolve(type.AssemblyQualifiedName!));
        Assert.Equal(type, JobTypes.Resolve(type.AssemblyQualifiedName!.Replace("Version=", "Version=9", StringComparison.Ordinal)));
        Assert.Equal(type, JobTypes.Resolve(type.FullName!));
    }

    [Theory]
    [InlineData("System.IO.File, mscorlib")]
    [InlineData("System.Object")]
    [InlineData("System.Collections.Generic.List`1[[System.String, mscorlib]], mscorlib")]
    [InlineData("WeeklyDigest.Server.Jobs.JobTypes, weeklydigest")]
    [InlineData("weeklydigest.server.jobs.sendissuejob, weeklydigest")]
    [InlineData("")]
    public void Anything_else_is_not(string name)
        => Assert.StartsWith($"{name} is no job of this program, and nothing of it was run.", Assert.Throws<TypeLoadException>(() => JobTypes.Resolve(name)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_row_that_names_another_method_fails_in_clear_words_and_runs_nothing(bool onPostgres)
    {
        var connection = onPostgres ? SharedPostgres.NewJobDatabase() : null;
        using var workspace = new Workspace().Set("Newsletter:BaseUrl", "https://digest.example.com").Set("Urls", "http://127.0.0.1:0");
        if (onPostgres) workspace.Set("Storage:Provider", "postgres").Set("Storage:ConnectionString", connection!);
        var victim = workspace.Write("victim", "still here");
        using (var serve = workspace.Start("serve"))
        {
            await serve.PrintedAsync("/sign-in?token=");
            using var database = onPostgres ? Database.Open(SharedPostgres.Options(connection!), TimeProvider.System) : null;
            var storage = onPostgres ? PostgresJobs.Open(database!, connection!, TimeSpan.FromDays(1)) : new SQLiteStorage(workspace.PathOf("data/jobs.db"));

            var job = new BackgroundJobClient(storage).Enqueue(() => File.Delete(victim));

            var jobs = storage.GetMonitoringApi();
            await Eventually.HoldsAsync(() => jobs.FailedCount() == 1, "the job has failed", TimeSpan.FromMinutes(2));
            Assert.Contains("is no job of this program, and nothing of it was run", jobs.JobDetails(job).History[0].Data["ExceptionMessage"], StringComparison.Ordinal);
            Assert.True(File.Exists(victim));
            (storage as IDisposable)?.Dispose();
        }
        if (onPostgres) SharedPostgres.Server.Drop(connection!);
    }
}
