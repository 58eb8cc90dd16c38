using WeeklyDigest.Storage.Postgres;

namespace WeeklyDigest.Tests.Storage;

public sealed class PostgresConnectionStringTests
{
    [Fact]
    public void What_is_not_written_is_as_the_program_needs_it()
    {
        var settings = PostgresConnectionString.Read("Host=db;Database=digest");
        Assert.Equal((20, 100, "weeklydigest", "weeklydigest"), (settings.MaxPoolSize, settings.MaxAutoPrepare, settings.ApplicationName, settings.SearchPath));
    }

    [Fact]
    public void What_is_written_holds()
    {
        var settings = PostgresConnectionString.Read("Host=db;Database=digest;MaxPoolSize=30;Max Auto Prepare=0;Application Name=news");
        Assert.Equal((30, 0, "news"), (settings.MaxPoolSize, settings.MaxAutoPrepare, settings.ApplicationName));
    }
}
