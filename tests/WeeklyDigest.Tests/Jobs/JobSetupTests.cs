using WeeklyDigest.Server.Jobs;

namespace WeeklyDigest.Tests.Jobs;

public sealed class JobSetupTests
{
    // The package of the same name has exceptions of its own.
    [Fact]
    public void A_job_storage_that_cannot_make_anything_of_the_file_is_told_with_what_to_do()
    {
        var met = new InvalidOperationException("Cannot add a PRIMARY KEY column");
        var refusal = Assert.Throws<StorageException>(() => JobSetup.Opened<object>("/srv/data/jobs.db", () => throw met));
        Assert.Equal(
            "The file /srv/data/jobs.db cannot be used to keep jobs in (Cannot add a PRIMARY KEY column). Is it of a build with another job storage? Move it away. "
            + "Where no jobs.db is, a new one is made: jobs are forgotten then, mailings are not.",
            refusal.Message);
        Assert.Same(met, refusal.InnerException);
        Assert.Throws<IOException>(() => JobSetup.Opened<object>("/srv/data/jobs.db", () => throw new IOException("No space left on device", 28)));
    }
}
