using System.Net;
using Npgsql;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Storage;
using WeeklyDigest.Tests.Databases;
using WeeklyDigest.Tests.Scenarios;

namespace WeeklyDigest.Tests.Web;

/// <summary>The database of a running server takes no changes any more: whoever starts a job is told so.</summary>
public sealed class ReadOnlyPostgresTests : IDisposable
{
    private readonly string connection = SharedPostgres.NewJobDatabase();

    private string Name => new NpgsqlConnectionStringBuilder(connection).Database!;

    private string Poor => "poor_" + Name;

    public void Dispose()
    {
        SharedPostgres.Server.Drop(connection);
        SharedPostgres.Server.Execute($"DROP ROLE IF EXISTS {Poor}");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Trigger_now_and_our_own_buttons_say_why_they_start_nothing(bool isReadOnly)
    {
        await using var site = await StartAsync();
        using var editor = await Editor.SignInAsync(await site.SignInLinkAsync());
        Refuse(isReadOnly);
        // Which cuts what was open; the first ones to find that are told so.
        await Eventually.HoldsAsync(() => editor.ProblemAsync("/hangfire/recurring").Result.Status == HttpStatusCode.OK, "the page of recurring jobs can be read");

        var words = isReadOnly ? $"The database {Name} on 127.0.0.1:{SharedPostgres.Server.Port} can only be read" : $"{MayNotUse}. {Remedy}";
        foreach (var (status, text) in await Task.WhenAll(
            editor.TriggeredAsync("weekly-digest"), editor.TriggeredAsync("preview-to-self"), editor.PressedAsync("/hangfire/recurring", "/hangfire/issues/week-1/do/preview")))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
            Assert.Contains(words, WebUtility.HtmlDecode(text), StringComparison.Ordinal);
        }
        // Each waits for a lock for 15 seconds, and is told no more than that it did not get it.
        foreach (var from in (string[])["Hangfire cannot use its storage", "A page cannot be shown"])
        {
            await Eventually.HoldsAsync(() => Lines(site, from, words).Count > 0, $"'{from}' is logged", TimeSpan.FromMinutes(1));
            Assert.Single(Lines(site, from, words));
        }
        Assert.Empty(Lines(site, "", "\n   at "));
    }

    // As after REASSIGN OWNED, and a GRANT for the tables alone.
    [Fact]
    public async Task Sequences_that_the_user_may_not_use_are_found_by_doctor_and_its_advice_is_the_page_s_and_helps()
    {
        await using var site = await StartAsync();
        using var editor = await Editor.SignInAsync(await site.SignInLinkAsync());
        Assert.Empty(Denied());
        SharedPostgres.Server.Execute($"REVOKE ALL ON ALL SEQUENCES IN SCHEMA hangfire FROM {Poor}; REVOKE ALL ON ALL SEQUENCES IN SCHEMA weeklydigest FROM {Poor}", Name);
        var (status, text) = await editor.TriggeredAsync("weekly-digest");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains($"{MayNotUse}. {Remedy}", WebUtility.HtmlDecode(text), StringComparison.Ordinal);
        Assert.Equal($"{MayNotUse}: aggregatedcounter_id_seq, counter_id_seq, hash_id_seq and others stay closed. {Remedy}", Assert.Single(Denied()));

        SharedPostgres.Server.Execute(Remedy[(Remedy.IndexOf('(', StringComparison.Ordinal) + 1)..^2], Name);
        Assert.Empty(Denied());
        Assert.Equal(HttpStatusCode.NoContent, (await editor.TriggeredAsync("weekly-digest")).Status);
    }

    private static List<string> Lines(TestSite site, string start, string words)
    {
        lock (site.Log) return site.Log.FindAll(line => line.StartsWith(start, StringComparison.Ordinal) && line.Contains(words, StringComparison.Ordinal));
    }

    private string MayNotUse => $"The user {Poor} may not use all that is in the schema hangfire of the database {Name} on 127.0.0.1:{SharedPostgres.Server.Port}";

    private string Remedy => $"Let the user do so (GRANT USAGE ON SCHEMA hangfire TO \"{Poor}\"; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA hangfire TO \"{Poor}\"; GRANT ALL ON ALL SEQUENCES IN SCHEMA hangfire TO \"{Poor}\").";

    private string AsPoor => new NpgsqlConnectionStringBuilder(connection) { Username = Poor, Password = "poor" }.ConnectionString;

    private IReadOnlyList<string> Denied() => Database.Examine(SharedPostgres.Options(AsPoor), TimeSpan.FromSeconds(10), TimeProvider.System, PostgresJobs.Tables).Denied;

    private void Refuse(bool isReadOnly)
    {
        SharedPostgres.Server.Execute(isReadOnly ? $"ALTER DATABASE {Name} SET default_transaction_read_only = on" : $"REVOKE INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA hangfire FROM {Poor}", Name);
        if (isReadOnly) SharedPostgres.Server.Execute($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{Name}'");
    }

    private Task<TestSite> StartAsync()
    {
        SharedPostgres.Server.Execute(
            $"CREATE ROLE {Poor} LOGIN PASSWORD 'poor'; " + string.Concat(((string[])["weeklydigest", "hangfire"]).Select(
                schema => $"GRANT USAGE ON SCHEMA {schema} TO {Poor}; GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO {Poor}; GRANT ALL ON ALL SEQUENCES IN SCHEMA {schema} TO {Poor}; ")),
            Name);
        return TestSite.StartAsync(
            folder =>
            {
                folder.Write("subscribers/sample.csv", TestSite.List(12));
                folder.Write("issues/week-1.md", TestSite.Issue("First"));
            },
            ("Storage:Provider", "postgres"), ("Storage:ConnectionString", AsPoor));
    }
}
