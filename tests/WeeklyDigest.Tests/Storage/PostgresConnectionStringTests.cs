using WeeklyDigest.Storage.Postgres;

namespace WeeklyDigest.Tests.Storage;

public sealed class PostgresConnectionStringTests
{
    [Fact]
    public void What_is_not_written_is_as_the_program_needs_it()
    {
        var settings = PostgresConnectionString.Read("Host=db;Database=digest");
        Assert.Equal((20, 100, "weeklydigest", "weeklydigest"), (settings.MaxPoolSize, settings.MaxAutoPrepare, settings.ApplicationName, settings.SearchPath));
        // Else a server that lost its power is waited for without an end.
        Assert.Equal((true, 30, 10), KeepAlive("Host=db;Database=digest"));
    }

    [Fact]
    public void What_is_written_holds()
    {
        var settings = PostgresConnectionString.Read("Host=db;Database=digest;MaxPoolSize=30;Max Auto Prepare=0;Application Name=news");
        Assert.Equal((30, 0, "news"), (settings.MaxPoolSize, settings.MaxAutoPrepare, settings.ApplicationName));
        Assert.Equal((false, 0, 0), KeepAlive("Host=db;Database=digest;TcpKeepAlive=false"));
        Assert.Equal((false, 60, 0), KeepAlive("Host=db;Database=digest;Tcp Keepalive Time=60"));
    }

    [Theory]
    [InlineData("/var/run/postgresql")]
    [InlineData("@postgresql")]
    [InlineData("db,/var/run/postgresql")]
    public void A_socket_file_is_asked_for_nothing_that_only_TCP_has(string host) => Assert.Equal((false, 0, 0), KeepAlive($"Host={host};Database=digest"));

    private static (bool, int, int) KeepAlive(string text)
    {
        var settings = PostgresConnectionString.Read(text);
        return (settings.TcpKeepAlive, settings.TcpKeepAliveTime, settings.TcpKeepAliveInterval);
    }
}
