using Npgsql;
using WeeklyDigest.Publishing;
using WeeklyDigest.Tests.Databases;

namespace WeeklyDigest.Tests.Commands;

public sealed class MoveCommandTests : IDisposable
{
    private readonly Workspace workspace = new();
    private readonly string target = SharedPostgres.Server.CreateDatabase();

    public void Dispose()
    {
        workspace.Dispose();
        SharedPostgres.Server.Drop(target);
    }

    [Fact]
    public async Task Moves_and_the_server_answers_as_the_file_did()
    {
        await SendAsync();
        var before = await StateAsync();
        workspace.Input = target + "\n";
        var result = await workspace.RunHereAsync("move", "--to", "postgres", "--connection", "-");

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Contains("delivery                        3 rows, the same on both sides (SHA-256 ", result.Out, StringComparison.Ordinal);
        Assert.Contains("Deliveries by state, the same on both sides: 3 sent.", result.Out, StringComparison.Ordinal);
        Assert.DoesNotContain(PrivatePostgres.Password, result.Out, StringComparison.Ordinal);
        var old = await workspace.RunHereAsync("send", "week-1");
        Assert.Equal(1, old.ExitCode);
        Assert.Contains("was moved to the database", old.Error, StringComparison.Ordinal);

        workspace.Set("Storage:Provider", "postgres").Set("Storage:ConnectionString", target);
        Assert.Equal(before, await StateAsync());
        Assert.Contains(": was published before; nobody is added.", (await workspace.RunHereAsync("send", "week-1")).Out, StringComparison.Ordinal);
        var again = await workspace.RunHereAsync("move", "--to", "postgres", "--connection", target);
        Assert.Equal((1, "Storage:Provider is postgres already; there is nothing to move.\n"), (again.ExitCode, again.Error.ReplaceLineEndings("\n")));
    }

    [Fact]
    public async Task A_living_process_is_named_and_nothing_is_moved()
    {
        await SendAsync();
        using var living = ProcessOwner.Take(workspace.PathOf("data"));
        var result = await workspace.RunHereAsync("move", "--to", "postgres", "--connection", target);
        Assert.Equal(
            (1, $"A server or a send works with this installation (machine/process/mark: {living.Name}). Stop it, then move; nothing was moved.\n"),
            (result.ExitCode, result.Error.ReplaceLineEndings("\n")));
    }

    [Fact]
    public async Task Without_a_database_there_is_nothing_to_move()
    {
        var result = await workspace.RunHereAsync("move", "--to", "postgres", "--connection", target);
        Assert.Equal((1, "There is no database yet; set Storage:Provider to postgres and begin there.\n"), (result.ExitCode, result.Error.ReplaceLineEndings("\n")));
        Assert.False(Directory.Exists(workspace.PathOf("data")));

        // As a process that was killed leaves its log, when the ledger is moved away.
        Directory.CreateDirectory(Path.GetDirectoryName(workspace.DatabaseFile)!);
        await File.WriteAllTextAsync(workspace.DatabaseFile + "-wal", "", TestContext.Current.CancellationToken);
        var gone = await workspace.RunHereAsync("move", "--to", "postgres", "--connection", target);
        Assert.StartsWith($"The database {workspace.DatabaseFile} was moved or deleted: its log", gone.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Host=db", "--connection names no database; write Database=… in it.")]
    [InlineData("postgres://u:hunter2@db/x", "--connection is a URL; write Host=…;Port=5432;Database=…;Username=…;Password=….")]
    public async Task A_wrong_connection_is_said_so(string connection, string expected)
    {
        await SendAsync();
        var result = await workspace.RunHereAsync("move", "--to", "postgres", "--connection", connection);
        Assert.Equal((1, expected), (result.ExitCode, result.Error.TrimEnd()));
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_said_so_and_the_file_is_used_as_before()
    {
        await SendAsync();
        var nowhere = new NpgsqlConnectionStringBuilder(target) { Port = 1 }.ConnectionString;
        var result = await workspace.RunHereAsync("move", "--to", "postgres", "--connection", nowhere);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("does not answer", result.Error, StringComparison.Ordinal);
        Assert.EndsWith("Is PostgreSQL running there, and are Host and Port in --connection right?", result.Error.TrimEnd(), StringComparison.Ordinal);
        Assert.Equal(0, (await workspace.RunHereAsync("status")).ExitCode);
    }

    [Theory]
    [InlineData("CREATE TABLE hangfire.recipe (name text)", "belongs to another program, or has lost the table schema. Use a database of its own; or, ")]
    [InlineData("CREATE TABLE hangfire.job (name text)", "belongs to another program, or has lost the table schema. Use a database of its own; or, ")]
    [InlineData("CREATE TABLE hangfire.schema (name text)", "belongs to another program, or has lost the table schema. Use a database of its own; or, ")]
    public async Task A_target_whose_schema_for_the_jobs_is_another_programs_is_refused_before_anything_is_done(string strangers, string words)
    {
        await SendAsync();
        SharedPostgres.Server.Execute("CREATE SCHEMA hangfire; " + strangers, TargetName);
        await RefusedAsync(target, $"The schema hangfire in {Place} {words}");
    }

    [Fact]
    public async Task A_target_where_the_user_may_not_make_the_schema_for_the_jobs_is_refused_before_anything_is_done()
    {
        await SendAsync();
        var poor = "poor_" + TargetName;
        SharedPostgres.Server.Execute($"CREATE ROLE {poor} LOGIN PASSWORD 'poor'; CREATE SCHEMA weeklydigest AUTHORIZATION {poor}", TargetName);
        try
        {
            await RefusedAsync(
                new NpgsqlConnectionStringBuilder(target) { Username = poor, Password = "poor" }.ConnectionString,
                $"The user {poor} may not make the schema hangfire, which is not there yet, in {Place}. Let the user create there (GRANT CREATE ON DATABASE");
        }
        finally
        {
            SharedPostgres.Server.Execute($"DROP OWNED BY {poor}; DROP ROLE {poor}", TargetName);
        }
    }

    private string TargetName => new NpgsqlConnectionStringBuilder(target).Database!;

    private string Place => $"the database {TargetName} on 127.0.0.1:{SharedPostgres.Server.Port}";

    private async Task RefusedAsync(string connection, string words)
    {
        var before = await StateAsync();
        var result = await workspace.RunHereAsync("move", "--to", "postgres", "--connection", connection);
        Assert.Equal((1, ""), (result.ExitCode, result.Out));
        Assert.StartsWith(words, result.Error, StringComparison.Ordinal);
        Assert.EndsWith(" Nothing was moved.", result.Error.TrimEnd(), StringComparison.Ordinal);
        Assert.Equal(0, SharedPostgres.Server.Scalar<long>("SELECT count(*) FROM pg_tables WHERE schemaname = 'weeklydigest'", TargetName));
        Assert.Equal(before, await StateAsync());
    }

    private async Task SendAsync()
    {
        workspace.WithWeek1().WithSubscribers(3);
        Assert.Equal(0, (await workspace.RunHereAsync("send", "week-1")).ExitCode);
    }

    private async Task<string> StateAsync()
    {
        var status = await workspace.RunHereAsync("status", "--json");
        var deliveries = await workspace.RunHereAsync("deliveries", "week-1", "--json");
        var subscribers = await workspace.RunHereAsync("subscribers", "export");
        return status.Out + deliveries.Out + subscribers.Out;
    }
}
