using Hangfire.States;
using Hangfire.Storage.SQLite;
using Hangfire.Storage.SQLite.Database;

namespace WeeklyDigest.Tests.JobStorage;

/// <summary>What somebody wrote into the file by hand, or a disk spoilt, troubles nobody but itself.</summary>
public sealed class SqliteDamagedRowTests : JobStorageSuite<SqliteJobPlace>
{
    [Theory]
    [InlineData("no JSON")]
    [InlineData("null")]
    [InlineData("[1]")]
    [InlineData("""{ "a": "1", "A": "2" }""")]
    public void A_state_whose_data_is_damaged_hides_no_other_job(string data)
    {
        var damaged = InState(new DeletedState());
        var sound = InState(new DeletedState());
        Database.Write(session => session.Plain($"UPDATE job_state SET data = '{data}' WHERE job_id = {damaged}").Run());

        Assert.Equal([sound, damaged], Monitor.DeletedJobs(0, 10).Select(job => job.Key));
        Assert.Equal("Deleted", Connection.GetStateData(damaged)!.Name);
        Assert.Equal("Deleted", Assert.Single(Monitor.JobDetails(damaged).History).StateName);
    }

    [Fact]
    public void A_look_that_fails_leaves_no_connection_open()
    {
        Session? used = null;
        Assert.Throws<FormatException>(() => Database.Read<int>(session =>
        {
            used = session;
            throw new FormatException();
        }));

        Assert.Throws<InvalidOperationException>(() => used!.Execute("SELECT 1"));
        Assert.True(Database.Read(session => session.Plain("SELECT 1").Any()));
    }

    private JobDatabase Database => ((SQLiteStorage)Storage).Database;
}
