using Microsoft.Extensions.Time.Testing;
using Npgsql;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Storage;
using WeeklyDigest.Storage.Postgres;
using WeeklyDigest.Tests.Databases;

namespace WeeklyDigest.Tests.Storage;

/// <summary>Opening a database on a server: what is created, what is brought up to date, what is refused and in which words.</summary>
public sealed class PostgresDatabaseTests : IDisposable
{
    private readonly string empty = SharedPostgres.Server.CreateDatabase();

    private string Name => new NpgsqlConnectionStringBuilder(empty).Database!;

    private static string Server => $"127.0.0.1:{SharedPostgres.Server.Port}";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => SharedPostgres.Server.Drop(empty);

    [Fact]
    public async Task A_first_start_on_six_nodes_at_once_makes_one_schema_that_is_opened_again()
    {
        var opened = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => Open(empty), Cancel)));
        var secrets = await Task.WhenAll(opened.Select((database, i) => database.Mailings.SecretAsync("links", () => [(byte)i], Cancel)));
        Assert.All(secrets, secret => Assert.Equal(secrets[0], secret));
        foreach (var database in opened) database.Dispose();
        using var again = Open(empty);
        Assert.Equal(secrets[0], await again.Mailings.SecretAsync("links", () => [9], Cancel));
    }

    [Fact]
    public async Task An_older_schema_is_brought_up_to_date_and_keeps_what_is_in_it()
    {
        var first = Embedded.Migrations("Postgres").First();
        Execute($"CREATE SCHEMA weeklydigest; SET search_path = weeklydigest; {first.Text}");
        Execute("CREATE TABLE weeklydigest.schema_version (schemaversionsid serial NOT NULL PRIMARY KEY, scriptname varchar(255) NOT NULL, applied timestamp NOT NULL)");
        Execute($"INSERT INTO weeklydigest.schema_version (scriptname, applied) VALUES ('{first.Name}', now())");
        Execute("INSERT INTO weeklydigest.secret VALUES ('links', '\\x07')");

        using var database = Open(empty);

        Assert.Equal([7], await database.Mailings.SecretAsync("links", () => [8], Cancel));
        Assert.Equal(Embedded.Migrations("Postgres").Count(), Scalar<long>("SELECT count(*) FROM weeklydigest.schema_version"));
    }

    [Fact]
    public void Both_kinds_of_database_have_the_same_history()
        => Assert.Equal(Embedded.Migrations("Sqlite").Select(script => script.Name), Embedded.Migrations("Postgres").Select(script => script.Name));

    [Fact]
    public void A_newer_schema_is_refused()
    {
        Open(empty).Dispose();
        Execute("INSERT INTO weeklydigest.schema_version (scriptname, applied) VALUES ('0999-from-the-future', now())");
        Assert.Equal(
            $"The schema weeklydigest in the database {Name} on {Server} was made by a newer version of this program (it has 0999-from-the-future). Use that version, or restore an older backup.",
            Refusal(empty));
    }

    [Fact]
    public void Another_programs_schema_is_refused_and_left_alone()
    {
        Execute("CREATE SCHEMA weeklydigest; CREATE TABLE weeklydigest.recipe (name text)");
        Assert.Equal($"The schema weeklydigest in the database {Name} on {Server} belongs to another program, or has lost the table schema_version. Use a database of its own; for lost tables, stop every server and put a backup back.", Refusal(empty));
        Assert.Equal(1, Scalar<long>("SELECT count(*) FROM pg_tables WHERE schemaname = 'weeklydigest'"));
    }

    [Fact]
    public void Other_schemas_are_nobodys_business()
    {
        Execute("CREATE TABLE subscriber (name text)");
        Open(empty).Dispose();
        Assert.Equal(0, Scalar<long>("SELECT count(*) FROM public.subscriber"));
    }

    [Fact]
    public void A_server_that_is_not_there_is_said_so()
    {
        var refusal = Refusal(With(settings => settings.Port = 1));
        Assert.StartsWith($"The database {Name} on 127.0.0.1:1 does not answer (Connection refused", refusal, StringComparison.Ordinal);
        Assert.EndsWith("Is PostgreSQL running there, and are Host and Port in Storage:ConnectionString right?", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_without_the_tls_that_is_asked_for_is_said_so()
        => Assert.Equal(
            $"PostgreSQL on {Server} offers no TLS, which SSL Mode in Storage:ConnectionString asks for. Switch it on there (ssl = on in postgresql.conf), "
            + "or set SSL Mode to Prefer if nobody else is on the network in between.",
            Refusal(With(settings => settings.SslMode = Npgsql.SslMode.Require)));

    [Fact]
    public void A_host_that_nobody_knows_is_said_so()
        => Assert.StartsWith($"The database {Name} on nowhere.invalid:", Refusal(With(settings => settings.Host = "nowhere.invalid")), StringComparison.Ordinal);

    [Fact]
    public void A_wrong_password_is_said_so_and_shown_nowhere()
    {
        var refusal = Refused(With(settings => settings.Password = "hunter2"));
        Assert.StartsWith($"PostgreSQL on {Server} does not let the user digest in (password authentication failed", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", refusal.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_database_that_does_not_exist_is_said_so_with_how_to_make_it()
        => Assert.Equal(
            $"There is no database nowhere on {Server}. Create it (CREATE DATABASE \"nowhere\" OWNER \"digest\" ENCODING 'UTF8'), or correct Database in Storage:ConnectionString.",
            Refusal(With(settings => settings.Database = "nowhere")));

    [Fact]
    public void A_user_without_rights_is_told_which_are_needed()
    {
        using var poor = new PoorUser(Name);
        Assert.Equal(
            $"The user {poor.Name} may not make the schema weeklydigest, which is not there yet, in the database {Name} on {Server}. Let the user create there "
            + $"(GRANT CREATE ON DATABASE \"{Name}\" TO \"{poor.Name}\"), or make it for the user (CREATE SCHEMA weeklydigest AUTHORIZATION \"{poor.Name}\").",
            Refusal(With(poor.SignIn)));
    }

    [Fact]
    public async Task Rights_to_tables_that_were_taken_away_are_named_by_whoever_meets_it_whomever_the_schema_belongs_to()
    {
        using var poor = new PoorUser(Name);
        Execute($"CREATE SCHEMA weeklydigest AUTHORIZATION {poor.Name}");
        using var database = Open(With(poor.SignIn));
        var words = $"The user {poor.Name} may not use all that is in the schema weeklydigest of the database {Name} on {Server}: alarm, delivery, domain and others stay closed. Let the user do so "
            + $"(GRANT USAGE ON SCHEMA weeklydigest TO \"{poor.Name}\"; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA weeklydigest TO \"{poor.Name}\"; "
            + $"GRANT ALL ON ALL SEQUENCES IN SCHEMA weeklydigest TO \"{poor.Name}\").";
        Execute($"REVOKE INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA weeklydigest FROM {poor.Name}");
        Assert.Equal(words, (await Assert.ThrowsAsync<StorageException>(() => database.Mailings.SecretAsync("links", () => [1], Cancel))).Message);
        Execute($"REVOKE ALL ON ALL TABLES IN SCHEMA weeklydigest FROM {poor.Name}");
        Assert.Equal(words, (await Assert.ThrowsAsync<StorageException>(() => database.Mailings.ListAsync(Cancel))).Message);
        Assert.Equal(words, Refusal(With(poor.SignIn)));
        Assert.Equal(words, Assert.Throws<StorageException>(() => Look(With(poor.SignIn))).Message);
        Execute($"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA weeklydigest TO {poor.Name}");
        await database.Mailings.SecretAsync("links", () => [1], Cancel);
        Execute($"REVOKE ALL ON weeklydigest.schema_version FROM {poor.Name}");
        Assert.Contains(": schema_version stays closed. Let the user do so (GRANT ", Refusal(With(poor.SignIn)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_limit_of_connections_is_told_as_whose_it_is()
    {
        using var poor = new PoorUser(Name);
        SharedPostgres.Server.Execute($"ALTER ROLE {poor.Name} CONNECTION LIMIT 0");
        Assert.Equal(
            $"PostgreSQL on {Server} has no connection left for us (too many connections for role \"{poor.Name}\"). "
            + $"Raise the user's limit there (ALTER ROLE \"{poor.Name}\" CONNECTION LIMIT …, -1 for none), or set Maximum Pool Size in Storage:ConnectionString.",
            Refusal(With(poor.SignIn)));
        SharedPostgres.Server.Execute($"ALTER ROLE {poor.Name} CONNECTION LIMIT -1; ALTER DATABASE {Name} CONNECTION LIMIT 0");
        Assert.Contains($"Raise the database's limit there (ALTER DATABASE \"{Name}\" CONNECTION LIMIT …, -1 for none), or set", Refusal(With(poor.SignIn)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_parameter_that_the_user_may_not_set_is_told_from_a_right_to_create()
    {
        using var poor = new PoorUser(Name);
        var refusal = Refusal(With(settings =>
        {
            poor.SignIn(settings);
            settings.Options = "-c lc_messages=C";
        }));
        Assert.Equal(
            $"The user {poor.Name} may not set what the connection asks for in the database {Name} on {Server} (permission denied to set parameter \"lc_messages\"). "
            + $"Take it out of Options in Storage:ConnectionString, or let the user set it (GRANT SET ON PARAMETER … TO \"{poor.Name}\", from PostgreSQL 15 on).",
            refusal);
    }

    [Fact]
    public void A_user_who_owns_the_schema_and_nothing_else_can_use_it()
    {
        using var poor = new PoorUser(Name);
        Execute($"CREATE SCHEMA weeklydigest AUTHORIZATION {poor.Name}");
        Open(With(poor.SignIn)).Dispose();
        Open(With(poor.SignIn)).Dispose();
    }

    [Fact]
    public void A_look_finds_what_a_user_lacks_and_makes_nothing()
    {
        using var poor = new PoorUser(Name);
        string Making(string schema) => $"The user {poor.Name} may not make the schema {schema}, which is not there yet, in the database {Name} on {Server}. Let the user create there "
            + $"(GRANT CREATE ON DATABASE \"{Name}\" TO \"{poor.Name}\"), or make it for the user (CREATE SCHEMA {schema} AUTHORIZATION \"{poor.Name}\").";
        Assert.Equal([Making("weeklydigest"), Making("hangfire")], Look());
        Execute($"CREATE SCHEMA weeklydigest; CREATE SCHEMA hangfire AUTHORIZATION {poor.Name}; GRANT USAGE ON SCHEMA weeklydigest TO {poor.Name}");
        Assert.StartsWith($"The user {poor.Name} may not make tables in the schema weeklydigest of the database", Assert.Single(Look()), StringComparison.Ordinal);
        Assert.Equal(0, Scalar<long>("SELECT count(*) FROM pg_tables WHERE schemaname = 'weeklydigest'"));

        Open(empty).Dispose();
        Execute($"GRANT SELECT ON ALL TABLES IN SCHEMA weeklydigest TO {poor.Name}");
        Assert.StartsWith($"The user {poor.Name} may not use all that is in the schema weeklydigest of the database {Name} on {Server}: alarm, delivery, domain and others stay closed. ", Assert.Single(Look()), StringComparison.Ordinal);
        Execute($"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA weeklydigest TO {poor.Name}");
        Assert.Empty(Look());
        Execute($"ALTER DATABASE {Name} SET default_transaction_read_only = on");
        Assert.Equal($"The database {Name} on {Server} can only be read: is it a standby? Set Host in Storage:ConnectionString to the primary.", Assert.Single(Look()));
        Execute($"SET transaction_read_only = off; ALTER DATABASE {Name} SET default_transaction_read_only = off");

        IReadOnlyList<string> Look() => PostgresDatabaseTests.Look(With(poor.SignIn)).Denied;
    }

    [Fact]
    public void A_look_finds_tables_columns_indexes_and_functions_that_are_gone()
    {
        Open(empty).Dispose();
        Assert.Empty(Look(empty).Lost);
        var made = SchemaObjects.Made("Postgres", [.. Embedded.Migrations("Postgres").Select(script => script.Name)]);
        Assert.Equal(Scalar<long>("SELECT count(*) FROM pg_tables WHERE schemaname = 'weeklydigest' AND tablename <> 'schema_version'"), made.Count(name => name.StartsWith("table ", StringComparison.Ordinal)));
        Assert.Equal(
            Scalar<long>("SELECT count(*) FROM information_schema.columns WHERE table_schema = 'weeklydigest' AND table_name <> 'schema_version'"),
            made.Count(name => name.StartsWith("column ", StringComparison.Ordinal)));
        Execute("DROP TABLE weeklydigest.relay_doubt; DROP INDEX weeklydigest.delivery_held; DROP FUNCTION weeklydigest.clock_ms(); ALTER TABLE weeklydigest.delivery DROP COLUMN reply; ALTER TABLE weeklydigest.mailing DROP COLUMN issue_hash");
        Assert.Equal(["column delivery.reply", "column mailing.issue_hash", "function clock_ms", "index delivery_held", "table relay_doubt"], Look(empty).Lost);
    }

    [Fact]
    public void Settings_of_the_server_that_would_break_a_promise_are_refused_all_at_once()
    {
        Execute($"ALTER DATABASE {Name} SET default_transaction_isolation = 'repeatable read'");
        Assert.Equal(
            $"The program cannot use the database {Name} on {Server}:\n"
            + "  synchronous_commit is off, so that a power failure can lose what was sent; take it out of Options in Storage:ConnectionString (or out of PGOPTIONS).\n"
            + "  default_transaction_isolation is repeatable read; ALTER ROLE \"digest\" SET default_transaction_isolation = 'read committed'.",
            Refusal(With(settings => settings.Options = "-c synchronous_commit=off")));
    }

    [Fact]
    public void Commits_that_are_not_waited_for_are_refused_where_what_we_ask_for_does_not_reach_the_server()
    {
        Execute($"ALTER DATABASE {Name} SET synchronous_commit = off");
        // As behind a pooler that passes no Options on.
        using var connection = new NpgsqlConnection(empty);
        connection.Open();
        Assert.Equal(
            $"The program cannot use the database {Name} on {Server}: synchronous_commit is off, so that a power failure can lose what was sent; ALTER ROLE \"digest\" SET synchronous_commit = on.",
            Assert.Throws<StorageException>(() => PostgresSetup.Require(connection, WeeklyDigest.Storage.Postgres.PostgresPlace.Of(new NpgsqlConnectionStringBuilder(empty)))).Message);
    }

    [Fact]
    public void A_database_of_another_encoding_is_refused()
    {
        SharedPostgres.Server.Execute($"CREATE DATABASE {Name}_latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
        var refusal = Refusal(With(settings => settings.Database = Name + "_latin"));
        Assert.Contains("Its encoding is LATIN1, which cannot hold every name; create it anew with ENCODING 'UTF8' TEMPLATE template0.", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void A_database_that_can_only_be_read_is_refused()
    {
        Execute($"ALTER DATABASE {Name} SET default_transaction_read_only = on");
        Assert.Equal($"The database {Name} on {Server} can only be read: is it a standby? Set Host in Storage:ConnectionString to the primary.", Refusal(empty));
    }

    private string With(Action<NpgsqlConnectionStringBuilder> change)
    {
        var settings = new NpgsqlConnectionStringBuilder(empty);
        change(settings);
        return settings.ConnectionString;
    }

    private static Database Open(string connectionString) => Database.Open(SharedPostgres.Options(connectionString), new FakeTimeProvider());

    private static DatabaseExamination Look(string connectionString) => Database.Examine(SharedPostgres.Options(connectionString), TimeSpan.FromSeconds(10), new FakeTimeProvider(), PostgresJobs.Tables);

    private static StorageException Refused(string connectionString) => Assert.Throws<StorageException>(() => Open(connectionString).Dispose());

    private static string Refusal(string connectionString) => Refused(connectionString).Message;

    private void Execute(string sql) => SharedPostgres.Server.Execute(sql, Name);

    private T Scalar<T>(string sql) => SharedPostgres.Server.Scalar<T>(sql, Name);

    /// <summary>A user who may enter a database and do nothing there.</summary>
    private sealed class PoorUser : IDisposable
    {
        private readonly string database;

        public PoorUser(string database)
        {
            this.database = database;
            SharedPostgres.Server.Execute($"CREATE ROLE {Name} LOGIN PASSWORD 'poor'");
        }

        public string Name => "poor_" + database;

        public void SignIn(NpgsqlConnectionStringBuilder settings) => (settings.Username, settings.Password) = (Name, "poor");

        public void Dispose() => SharedPostgres.Server.Execute($"DROP OWNED BY {Name}; DROP ROLE {Name}", database);
    }
}
