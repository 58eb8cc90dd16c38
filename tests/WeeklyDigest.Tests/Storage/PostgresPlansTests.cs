using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;
using WeeklyDigest.Storage.Postgres;

namespace WeeklyDigest.Tests.Storage;

/// <summary>
/// How the server answers each query when the tables are large: a million subscribers and deliveries with WEEKLYDIGEST_SCALE=full, fifty
/// thousand else. Plans are those of prepared statements that no longer look at the values, which is what the program gets after a few runs.
/// </summary>
public sealed partial class PostgresPlansTests(PostgresAtScale scale) : IClassFixture<PostgresAtScale>
{
    /// <summary>Queries that go through a whole mailing, a whole list or everybody, because they are asked about just that.</summary>
    private static readonly string[] Whole = ["Abandon", "AddDeliveries", "Balance", "LeftAlone", "Lists", "OpenRows", "Retriable", "Waiting"];

    /// <summary>No plan: locks, COPY, and an import's own tables, which are there only while it runs.</summary>
    private static readonly string[] WithoutPlan = ["PrepareImport", "CopyArrivals", "AddDomains", "AddArrivals", "FindKnown", "IndexKnown", "CountKnown", "ChangedPage", "AddMembers"];

    public static TheoryData<string> Names => [.. Queries.Names.Except(WithoutPlan)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_query_walks_an_index(string name)
    {
        var plan = scale.Plan(name, "force_generic_plan");
        Assert.True(Whole.Contains(name) || !BigTable().IsMatch(plan), $"{name}:\n{plan}");
    }

    [Theory]
    [InlineData("DueRows", "delivery_deferred")]
    [InlineData("PendingRows", "delivery_pending")]
    [InlineData("ClaimCandidates", "delivery_pkey", "subscriber_pkey", "suppression_pkey")]
    [InlineData("Rest", "delivery_pending", "delivery_deferred", "delivery_held")]
    [InlineData("Holders", "delivery_held")]
    [InlineData("Renew", "delivery_held")]
    [InlineData("Sending", "delivery_held")]
    [InlineData("LockOwned", "delivery_held")]
    [InlineData("Release", "delivery_held")]
    [InlineData("LoseTrack", "delivery_held")]
    [InlineData("SendAgain", "delivery_held")]
    [InlineData("AbandonClaimed", "delivery_held")]
    [InlineData("AbandonRows", "delivery_pkey", "subscriber_pkey", "suppression_pkey")]
    [InlineData("NextAttempt", "delivery_deferred")]
    [InlineData("Due", "delivery_pending", "delivery_deferred", "delivery_held")]
    [InlineData("ChangeState", "delivery_pending", "delivery_deferred", "delivery_held")]
    [InlineData("Claim", "delivery_pkey")]
    [InlineData("Begin", "delivery_pkey", "subscriber_pkey", "suppression_pkey")]
    [InlineData("Transition", "delivery_pkey")]
    [InlineData("Unwritten", "delivery_pkey")]
    [InlineData("GiveUp", "delivery_pending")]
    [InlineData("CutWaits", "One-Time Filter", "delivery_deferred", "Tid Scan on delivery")]
    [InlineData("LockUnsent", "delivery_p")]
    [InlineData("Pardon", "delivery_pkey", "subscriber_pkey", "suppression_pkey")]
    [InlineData("Members", "membership_", "subscriber_pkey")]
    [InlineData("SubscriberByAddress", "subscriber_address_key")]
    public void What_is_asked_all_the_time_walks_its_own_index_with_and_without_the_values(string name, params string[] indexes)
    {
        foreach (var mode in (string[])["force_generic_plan", "force_custom_plan"])
        {
            var plan = scale.Plan(name, mode);
            Assert.All(indexes, index => Assert.True(plan.Contains(index, StringComparison.Ordinal), $"{mode}, {index}:\n{plan}"));
        }
    }

    [Fact]
    public void A_claim_that_goes_on_in_the_middle_touches_few_pages_although_what_was_sent_before_is_still_in_the_index()
    {
        var first = scale.PagesOf("PendingRows", ("after", "-9223372036854775808"));
        var further = scale.PagesOf("PendingRows", ("after", scale.LastSent));
        Assert.InRange(further, 1, 2000);
        TestContext.Current.TestOutputHelper!.WriteLine($"{scale.Rows} rows: a look at the next 100 touches {further} pages; from the front, {first}.");
    }

    // As the queries name them; what an index serves is an index scan, not a sequential one.
    [GeneratedRegex(@"Seq Scan on (delivery|subscriber|membership|suppression)\b")]
    private static partial Regex BigTable();
}

/// <summary>A large installation in the middle of a mailing, as the server sees it: with statistics, and not vacuumed since it was sent.</summary>
public sealed partial class PostgresAtScale : IDisposable
{
    private static readonly Dictionary<string, (string Type, string Value)> Values = new()
    {
        ["mailing"] = ("bigint", "1"), ["id"] = ("bigint", "1"), ["subscriber"] = ("bigint", "70"), ["list"] = ("bigint", "1"), ["count"] = ("integer", "100"),
        ["after"] = ("bigint", "1"), ["now"] = ("bigint", "1000000"), ["at"] = ("bigint", "1000000"), ["latest"] = ("bigint", "1000000000"), ["lease"] = ("bigint", "60000"), ["lifetime"] = ("bigint", "60000"), ["scheduled"] = ("bigint", "NULL"),
        ["owner"] = ("text", "'node-1'"), ["reply"] = ("text", "'ok'"), ["from"] = ("text", "'failed'"), ["to"] = ("text", "'pending'"), ["state"] = ("text", "'failed'"),
        ["reason"] = ("text", "NULL"), ["issue"] = ("text", "'week-1'"), ["permalink"] = ("text", "'/x'"), ["hash"] = ("text", "'h'"), ["file"] = ("text", "'f'"), ["content"] = ("text", "'{}'"),
        ["before"] = ("bigint", "1000000"), ["others"] = ("integer", "2"), ["limit"] = ("integer", "20"), ["domain"] = ("text", "'example.org'"), ["refusals"] = ("text[]", "ARRAY['policy','mailbox']"),
        ["address"] = ("text", "'r70@example.org'"), ["name"] = ("text", "'x'"), ["attributes"] = ("text", "'{}'"), ["source"] = ("text", "'link'"), ["value"] = ("bytea", "'x'"),
        ["subscribers"] = ("bigint[]", "ARRAY[70,71]"), ["mailings"] = ("bigint[]", "ARRAY[1,1]"), ["stamps"] = ("bigint[]", "ARRAY[1,1]"), ["ids"] = ("bigint[]", "ARRAY[70,71]"), ["recent"] = ("bigint[]", "ARRAY[1,2]"),
        ["counts"] = ("integer[]", "ARRAY[1,1]"), ["numbers"] = ("integer[]", "ARRAY[0,1]"), ["times"] = ("bigint[]", "ARRAY[1,1]"), ["nexts"] = ("bigint[]", "ARRAY[NULL,NULL]::bigint[]"),
        ["sent"] = ("bigint", "5"), ["due"] = ("bigint", "1000"), ["until"] = ("bigint", "1000"), ["since"] = ("bigint", "0"), ["on"] = ("bigint", "1"), ["note"] = ("text", "NULL"), ["resend"] = ("integer", "1"),
        ["cron"] = ("text", "'0 9 * * 1'"), ["zone"] = ("text", "'UTC'"), ["configured"] = ("text", "'0 9 * * 1 UTC'"),
        ["relay"] = ("text", "'one'"), ["kind"] = ("text", "'down'"), ["second"] = ("double precision", "1"), ["minute"] = ("double precision", "1"), ["hour"] = ("double precision", "1"),
        ["stops"] = ("boolean[]", "ARRAY[true,false]"), ["relays"] = ("text[]", "ARRAY['one','two']"), ["accepted"] = ("bigint[]", "ARRAY[1,1]"), ["answered"] = ("bigint[]", "ARRAY[1,1]"), ["newest"] = ("bigint[]", "ARRAY[1,1]"),
        ["replies"] = ("text[]", "ARRAY['a','b']"), ["olds"] = ("text[]", "ARRAY['sending','sending']"), ["news"] = ("text[]", "ARRAY['sent','sent']"), ["names"] = ("text[]", "ARRAY['a','b']"),
    };

    private readonly PostgresPlace place = new();

    public PostgresAtScale()
    {
        place.Execute($"""
            INSERT INTO list (name, created_at) VALUES ('readers', 0);
            INSERT INTO mailing (issue, permalink, state, content_hash, created_at) VALUES ('week-1', '/x', 'sending', 'h', 0), ('week-2', '/y', 'sent', 'h', 0);
            ALTER TABLE delivery DISABLE TRIGGER ALL;
            ALTER TABLE delivery SET (autovacuum_enabled = off);
            INSERT INTO domain (name) VALUES ('example.org');
            INSERT INTO alarm VALUES (1, 7, 20, 20, 'no', 0, 0, 0);
            INSERT INTO subscriber (address, domain_id, status, created_at, updated_at) SELECT 'r' || i || '@example.org', 1, 'active', 0, 0 FROM generate_series(1, {Rows}) i;
            INSERT INTO membership SELECT 1, i FROM generate_series(1, {Rows}) i;
            INSERT INTO suppression SELECT 'gone' || i || '@example.org', 'bounced', 'relay', 0 FROM generate_series(1, {Rows / 10}) i;
            INSERT INTO delivery (mailing_id, subscriber_id, domain_id, state, updated_at) SELECT 1, i, 1, 'pending', 0 FROM generate_series(1, {Rows}) i;
            ANALYZE;
            UPDATE delivery SET state = 'sent', stamp = 1, attempts = 1 WHERE subscriber_id <= {LastSent};
            UPDATE delivery SET state = 'deferred', next_attempt_at = 5 * subscriber_id WHERE subscriber_id % 1000 = 1;
            UPDATE delivery SET state = 'failed' WHERE subscriber_id % 1000 = 2;
            UPDATE delivery SET state = 'sending', owner = 'node-1', lease_until = 9 WHERE subscriber_id % 1000 = 3;
            ANALYZE;
            """);
    }

    /// <summary>Subscribers, and deliveries.</summary>
    public int Rows { get; } = Environment.GetEnvironmentVariable("WEEKLYDIGEST_SCALE") == "full" ? 1_000_000 : 50_000;

    /// <summary>Up to here everything is sent.</summary>
    public string LastSent => (Rows / 5 * 3).ToString(CultureInfo.InvariantCulture);

    /// <summary>The plan of a query.</summary>
    /// <param name="name">The query.</param>
    /// <param name="mode">force_generic_plan: without the values; force_custom_plan: with them.</param>
    public string Plan(string name, string mode) => Explain(name, mode, "EXPLAIN", []);

    /// <summary>How many pages a query touches.</summary>
    public int PagesOf(string name, params (string Name, string Value)[] values)
    {
        var plan = Explain(name, "force_generic_plan", "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF)", values);
        return Pages().Match(plan).Groups.Values.Skip(1).Where(pages => pages.Success).Sum(pages => int.Parse(pages.Value, CultureInfo.InvariantCulture));
    }

    public void Dispose() => place.Dispose();

    private string Explain(string name, string mode, string explain, (string Name, string Value)[] values)
    {
        using var connection = new NpgsqlConnection(place.Options.ConnectionString + ";Pooling=false;Search Path=weeklydigest");
        connection.Open();
        var sql = Queries.Get(name);
        var parameters = Parameter().Matches(sql).Select(match => match.Groups[1].Value).Distinct().ToList();
        var typed = parameters.ConvertAll(parameter => TypeOf(name, parameter));
        for (var i = 0; i < parameters.Count; i++) sql = Regex.Replace(sql, $@"@{parameters[i]}\b", "$" + (i + 1).ToString(CultureInfo.InvariantCulture));
        var arguments = parameters.Select((parameter, i) => values.FirstOrDefault(value => value.Name == parameter).Value ?? typed[i].Value);
        Execute(connection, $"SET plan_cache_mode = {mode}");
        // ANALYZE runs the query: what it changes is not kept.
        Execute(connection, "BEGIN");
        Execute(connection, $"PREPARE q{(typed.Count > 0 ? $"({string.Join(", ", typed.Select(value => value.Type))})" : "")} AS {sql.TrimEnd().TrimEnd(';')}");
        using var command = new NpgsqlCommand($"{explain} EXECUTE q{(typed.Count > 0 ? $"({string.Join(", ", arguments)})" : "")}", connection);
        using var rows = command.ExecuteReader();
        var lines = new List<string>();
        while (rows.Read()) lines.Add(rows.GetString(0));
        return string.Join('\n', lines);
    }

    private static (string Type, string Value) TypeOf(string query, string parameter) => (query, parameter) switch
    {
        ("ChangeState", "from") => ("text[]", "ARRAY['sending']"),
        ("ChangeState", "to") => ("text", "'sent'"),
        ("AddList" or "ListId" or "AddDeliveries" or "AddMailingList" or "ImportedFile" or "NoteImportedFile" or "Members" or "EndMemberships", "list") => ("text", "'readers'"),
        ("HasActiveMember", "lists") => ("text[]", "ARRAY['readers']"),
        ("ChangeSubscribers", "attributes") => ("text[]", "ARRAY['{}','{}']"),
        _ => Values[parameter],
    };

    private static void Execute(NpgsqlConnection connection, string sql)
    {
        using var command = new NpgsqlCommand(sql, connection);
        command.ExecuteNonQuery();
    }

    [GeneratedRegex(@"@(\w+)")]
    private static partial Regex Parameter();

    [GeneratedRegex(@"Buffers: shared(?: hit=(\d+))?(?: read=(\d+))?")]
    private static partial Regex Pages();
}
