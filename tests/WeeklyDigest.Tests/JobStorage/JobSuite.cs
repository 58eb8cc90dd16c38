using System.Reflection;
using System.Reflection.Emit;
using Hangfire.Common;
using Hangfire.States;
using Hangfire.Storage;

namespace WeeklyDigest.Tests.JobStorage;

/// <summary>Jobs, parameters, states, expiry.</summary>
public abstract class JobSuite<TPlace> : JobStorageSuite<TPlace> where TPlace : IJobStoragePlace, new()
{
    [Fact]
    public void A_job_comes_back_as_it_was_created()
    {
        var created = Now;
        var id = Connection.CreateExpiredJob(Job("hello \"日本\"\0\U0001F600"), new Dictionary<string, string> { ["Culture"] = "de" }, created, TimeSpan.FromHours(1));
        var data = Connection.GetJobData(id);
        Assert.Equal(nameof(SampleJobs.Say), data.Job.Method.Name);
        Assert.Equal("hello \"日本\"\0\U0001F600", data.Job.Args[0]);
        Assert.Null(data.LoadException);
        Assert.Null(data.State);
        Assert.Equal("de", Connection.GetJobParameter(id, "Culture"));
        Close(created, data.CreatedAt);
        Assert.Equal(Does(JobStorageHabit.ComesWithSnapshots), data.ParametersSnapshot is not null);
        if (!Does(JobStorageHabit.ComesWithSnapshots)) return;
        Assert.Equal("de", data.ParametersSnapshot!["Culture"]);
        Assert.Contains(nameof(SampleJobs), data.InvocationData.Type, StringComparison.Ordinal);
    }

    [Fact]
    public void A_job_keeps_the_queue_it_names()
    {
        if (!Has(JobStorageFeatures.JobQueueProperty)) return;
        var id = Create(new Job(typeof(SampleJobs), typeof(SampleJobs).GetMethod(nameof(SampleJobs.Say))!, ["x"], "critical"));
        Assert.Equal("critical", Connection.GetJobData(id).Job.Queue);
    }

    [Theory]
    [InlineData("1234567")]
    [InlineData("no-such-id")]
    [InlineData("")]
    public void What_asks_for_a_job_that_is_not_there_finds_nothing(string id)
    {
        if (!Does(JobStorageHabit.TakesAnyId) && !long.TryParse(id, out _))
        {
            Assert.Throws<FormatException>(() => Connection.GetJobData(id));
            return;
        }
        Assert.Null(Connection.GetJobData(id));
        Assert.Null(Connection.GetStateData(id));
        Assert.Null(Connection.GetJobParameter(id, "Culture"));
        Assert.Null(Monitor.JobDetails(id));
    }

    [Fact]
    public void What_changes_a_job_that_is_not_there_changes_nothing()
    {
        if (Does(JobStorageHabit.PassesOverMissingJobs)) Commit(ChangeMissing);
        else Assert.ThrowsAny<Exception>(() => Commit(ChangeMissing));
        Commit(transaction =>
        {
            transaction.ExpireJob("1234567", TimeSpan.FromHours(1));
            transaction.PersistJob("1234567");
        });
        Assert.Equal(0, Monitor.SucceededListCount());
        Assert.Null(Connection.GetJobParameter("1234567", "a"));
    }

    [Fact]
    public void A_parameter_is_set_and_set_again()
    {
        var id = Create(null, ("a", "1"), ("none", null));
        Assert.Equal("1", Connection.GetJobParameter(id, "a"));
        Assert.Null(Connection.GetJobParameter(id, "none"));
        Assert.Null(Connection.GetJobParameter(id, "other"));
        Connection.SetJobParameter(id, "a", "2");
        Connection.SetJobParameter(id, "empty", "");
        Connection.SetJobParameter(id, "none", "something");
        Assert.Equal(("2", "", "something"), (Connection.GetJobParameter(id, "a"), Connection.GetJobParameter(id, "empty"), Connection.GetJobParameter(id, "none")));
        Connection.SetJobParameter(id, "a", null);
        Assert.Null(Connection.GetJobParameter(id, "a"));
    }

    [Fact]
    public void A_transaction_sets_parameters()
    {
        if (!Has(JobStorageFeatures.Transaction.SetJobParameter)) return;
        var id = Create();
        using (var transaction = (JobStorageTransaction)Connection.CreateWriteTransaction())
        {
            transaction.SetJobParameter(id, "a", "1");
            Assert.Null(Connection.GetJobParameter(id, "a"));
            transaction.Commit();
        }
        Assert.Equal("1", Connection.GetJobParameter(id, "a"));
    }

    [Fact]
    public void A_transaction_creates_a_job_whose_id_it_knows_before_it_commits()
    {
        if (!Has(JobStorageFeatures.Transaction.CreateJob)) return;
        var id = "";
        Commit(transaction =>
        {
            id = transaction.CreateJob(Job("early"), new Dictionary<string, string> { ["a"] = "1" }, Now, TimeSpan.FromHours(1));
            transaction.SetJobState(id, new EnqueuedState());
            transaction.AddToQueue("default", id);
        });
        Assert.NotEqual(id, Create());
        Assert.Equal(("early", "Enqueued", "1"), ((string)Connection.GetJobData(id).Job.Args[0], Connection.GetJobData(id).State, Connection.GetJobParameter(id, "a")));
        using var fetched = Fetch();
        Assert.Equal(id, fetched.JobId);
    }

    [Fact]
    public void A_transaction_that_is_not_committed_leaves_nothing()
    {
        var id = Create();
        using (var transaction = (JobStorageTransaction)Connection.CreateWriteTransaction())
        {
            transaction.SetJobState(id, new EnqueuedState());
            transaction.AddToQueue("default", id);
            transaction.IncrementCounter("c");
            transaction.AddToSet("s", "v");
        }
        Assert.Null(Connection.GetJobData(id).State);
        Assert.Equal((0L, 0L, 0L), (Monitor.EnqueuedCount("default"), Connection.GetCounter("c"), Connection.GetSetCount("s")));
    }

    [Fact]
    public void A_state_has_name_reason_and_data()
    {
        var id = InState(new FailedState(new InvalidOperationException("no paper"), "server-1") { Reason = "The printer is empty" });
        var state = Connection.GetStateData(id);
        Assert.Equal(("Failed", "The printer is empty", "no paper"), (state.Name, state.Reason, state.Data["ExceptionMessage"]));
        Assert.Equal("Failed", Connection.GetJobData(id).State);
        Assert.Null(Connection.GetStateData(Create()));
    }

    [Fact]
    public void The_history_has_all_states_newest_first_and_a_job_is_in_the_last_that_was_set()
    {
        var id = InState(new EnqueuedState());
        Commit(transaction => transaction.SetJobState(id, new InProcessing()));
        Commit(transaction => transaction.AddJobState(id, new DeletedState { Reason = "only noted" }));
        Assert.Equal("Processing", Connection.GetJobData(id).State);
        Assert.Equal("Processing", Connection.GetStateData(id).Name);
        var history = Monitor.JobDetails(id).History;
        Assert.Equal(["Deleted", "Processing", "Enqueued"], history.Select(state => state.StateName));
        Assert.Equal("only noted", history[0].Reason);
        Assert.All(history, state => Close(Now, state.CreatedAt));
    }

    [Fact]
    public void A_job_expires_or_is_kept()
    {
        var id = Create();
        Close(Now.AddHours(1), Monitor.JobDetails(id).ExpireAt);
        Commit(transaction => transaction.PersistJob(id));
        Assert.Null(Monitor.JobDetails(id).ExpireAt);
        Commit(transaction => transaction.ExpireJob(id, TimeSpan.FromMinutes(10)));
        Close(Now.AddMinutes(10), Monitor.JobDetails(id).ExpireAt);
    }

    [Fact]
    public void A_job_whose_method_is_gone_says_so_and_does_not_stop_the_page()
    {
        var id = Create(new Job(MethodOfAnUnloadedAssembly()));
        Commit(transaction => transaction.SetJobState(id, new EnqueuedState()));
        var data = Connection.GetJobData(id);
        Assert.Null(data.Job);
        Assert.NotNull(data.LoadException);
        Assert.Throws<JobLoadException>(data.EnsureLoaded);
        Assert.Null(Monitor.JobDetails(id).Job);
        if (!Does(JobStorageHabit.ComesWithSnapshots)) return;
        Assert.NotNull(Monitor.JobDetails(id).LoadException);
        Assert.Contains("Gone", Monitor.JobDetails(id).InvocationData.Type, StringComparison.Ordinal);
    }

    [Fact]
    public void The_clock_is_utc()
    {
        if (!Has(JobStorageFeatures.Connection.GetUtcDateTime)) return;
        Close(Now, Connection.GetUtcDateTime());
    }

    private void ChangeMissing(JobStorageTransaction transaction)
    {
        Connection.SetJobParameter("1234567", "a", "b");
        transaction.SetJobState("1234567", new SucceededState(null, 1, 1));
        transaction.AddJobState("1234567", new SucceededState(null, 1, 1));
        if (Has(JobStorageFeatures.Transaction.SetJobParameter)) transaction.SetJobParameter("1234567", "a", "b");
    }

    // A type that nobody finds by its name, as after an update that removed it.
    private static MethodInfo MethodOfAnUnloadedAssembly()
    {
        var type = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName("Gone"), AssemblyBuilderAccess.RunAndCollect).DefineDynamicModule("Gone").DefineType("Gone", TypeAttributes.Public);
        var method = type.DefineMethod("Run", MethodAttributes.Public | MethodAttributes.Static, typeof(void), []);
        method.GetILGenerator().Emit(OpCodes.Ret);
        return type.CreateType().GetMethod("Run")!;
    }
}
