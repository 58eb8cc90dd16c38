using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace WeeklyDigest.Tests.Commands;

public sealed class SubscribersCommandTests : IDisposable
{
    private readonly Workspace workspace = new();

    public void Dispose() => workspace.Dispose();

    [Fact]
    public async Task Imports_a_file_and_reports_counts_and_skipped_rows()
    {
        workspace.Write("in.csv", "email,name,city\nada@example.org,Ada,\"Köln, am Rhein\"\nnobody,Nobody,x\nADA@Example.org,Twice,y\nbob@example.org,,\n");
        var result = await workspace.RunHereAsync("subscribers", "import", "in.csv", "--list", "Friends");
        Assert.Equal(0, result.ExitCode);
        Assert.Equal("List friends: 3 added, 0 updated, 0 unchanged, 0 kept out, 1 skipped.", result.Out.TrimEnd());
        Assert.StartsWith($"{workspace.PathOf("in.csv")}:3: ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_exported_can_be_imported_again()
    {
        workspace.Write("in.csv", "email;name;city\nada@example.org;\"Ada \"\"A\"\"\";\"Köln, am Rhein\"\n=bob@example.org;Bob;\n");
        await workspace.RunHereAsync("subscribers", "import", "in.csv");
        var export = await workspace.RunHereAsync("subscribers", "export", "--list", "in");
        Assert.Equal("email,name,city\r\nada@example.org,\"Ada \"\"A\"\"\",\"Köln, am Rhein\"\r\n=bob@example.org,Bob,\r\n", export.Out);

        workspace.Write("again.csv", export.Out);
        var again = await workspace.RunHereAsync("subscribers", "import", "again.csv", "--list", "in");
        Assert.Equal("List in: 0 added, 0 updated, 2 unchanged, 0 kept out, 0 skipped.", again.Out.TrimEnd());
    }

    [Fact]
    public async Task Adds_and_shows_a_subscriber()
    {
        var added = await workspace.RunHereAsync("subscribers", "add", "ada@example.org", "--list", "friends", "--name", "Ada", "--attribute", "City=Köln");
        Assert.Equal((0, "ada@example.org: on list friends."), (added.ExitCode, added.Out.TrimEnd()));

        var shown = await workspace.RunHereAsync("subscribers", "show", "ada@example.org", "--json");
        Assert.Equal(
            """
            {
              "address": "ada@example.org",
              "name": "Ada",
              "status": "active",
              "lists": [
                "friends"
              ],
              "attributes": {
                "city": "Köln"
              },
              "suppression": null
            }

            """,
            shown.Out.ReplaceLineEndings("\n"));
        var lists = await workspace.RunHereAsync("subscribers", "show", "--json");
        Assert.Equal("""[{"list":"friends","active":1,"total":1}]""", JsonSerializer.Serialize(JsonDocument.Parse(lists.Out).RootElement));
        Assert.Equal("friends: 1 active of 1", (await workspace.RunHereAsync("subscribers", "show")).Out.TrimEnd());
    }

    [Fact]
    public async Task Who_unsubscribed_does_not_come_back()
    {
        workspace.WithSubscribers(2, "all");
        await workspace.RunHereAsync("subscribers", "import", "subscribers/all.csv");
        var left = await workspace.RunHereAsync("subscribers", "unsubscribe", "subscriber000001@example.com");
        Assert.Equal((0, "subscriber000001@example.com: unsubscribed."), (left.ExitCode, left.Out.TrimEnd()));

        var import = await workspace.RunHereAsync("subscribers", "import", "subscribers/all.csv");
        Assert.Equal("List all: 0 added, 0 updated, 1 unchanged, 1 kept out, 0 skipped.", import.Out.TrimEnd());
        var add = await workspace.RunHereAsync("subscribers", "add", "subscriber000001@example.com");
        Assert.Equal((1, ""), (add.ExitCode, add.Out));
        Assert.Matches(@"^subscriber000001@example\.com is unsubscribed since \d{4}-\d\d-\d\d \d\d:\d\d UTC \(command\) and stays out; only an address that bounced can be added again\.\s*$", add.Error);

        Assert.DoesNotContain("subscriber000001", (await workspace.RunHereAsync("subscribers", "export")).Out, StringComparison.Ordinal);
        Assert.Contains("subscriber000001@example.com,Subscriber 1,unsubscribed,all\r\n".Replace("Subscriber 1", "\"Subscriber 1\"", StringComparison.Ordinal),
            (await workspace.RunHereAsync("subscribers", "export", "--all")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_unsubscribes_by_a_mail_is_found_by_its_subject_whatever_address_it_comes_from()
    {
        workspace.WithSubscribers(2, "all");
        await workspace.RunHereAsync("subscribers", "import", "subscribers/all.csv");
        var tokens = new WeeklyDigest.Feedback.LinkTokens(Convert.FromHexString(Scenarios.LedgerFile.Text(workspace, "SELECT hex(value) FROM secret WHERE name = 'links'")));
        var second = long.Parse(Scenarios.LedgerFile.Text(workspace, "SELECT id FROM subscriber WHERE address = 'subscriber000002@example.com'"), System.Globalization.CultureInfo.InvariantCulture);
        var token = tokens.UnsubscribeToken(new WeeklyDigest.Deliveries.DeliveryId(1, second));

        // One in sixty-four begins with a dash, as options do.
        var dashed = Enumerable.Range(1, 10_000).Select(mailing => tokens.UnsubscribeToken(new WeeklyDigest.Deliveries.DeliveryId(mailing, second))).First(one => one.StartsWith('-'));
        foreach (var subject in new[] { "unsubscribe " + token, token, dashed })
        {
            var left = await workspace.RunHereAsync("subscribers", "unsubscribe", subject);
            Assert.Equal((0, "subscriber000002@example.com: unsubscribed."), (left.ExitCode, left.Out.TrimEnd()));
        }
        var foreign = await workspace.RunHereAsync("subscribers", "unsubscribe", "unsubscribe " + new string('a', token.Length));
        Assert.Equal((1, $"'{new string('a', token.Length)}' is not of one of our messages. Is it complete? Else unsubscribe the address."), (foreign.ExitCode, foreign.Error.TrimEnd()));
        var preview = await workspace.RunHereAsync("subscribers", "unsubscribe", tokens.PreviewToken());
        Assert.Equal((1, "That comes from a preview: there is nobody to unsubscribe."), (preview.ExitCode, preview.Error.TrimEnd()));
    }

    [Fact]
    public async Task Who_asks_to_be_left_out_before_the_list_file_was_read_is_kept_out()
    {
        workspace.WithSubscribers(2, "all");
        var left = await workspace.RunHereAsync("subscribers", "unsubscribe", "subscriber000001@example.com");
        Assert.Equal(
            (0, "subscriber000001@example.com: was not a subscriber; from now on it is kept out, and no list file brings it in."), (left.ExitCode, left.Out.TrimEnd()));

        var import = await workspace.RunHereAsync("subscribers", "import", "subscribers/all.csv");
        Assert.Equal("List all: 1 added, 0 updated, 0 unchanged, 1 kept out, 0 skipped.", import.Out.TrimEnd());
        var shown = await workspace.RunHereAsync("subscribers", "show", "subscriber000001@example.com");
        Assert.Matches(@"^subscriber000001@example\.com is not a subscriber, and is kept out: unsubscribed since \d{4}-\d\d-\d\d \d\d:\d\d UTC \(command\)\.\s*$", shown.Error);
    }

    [Fact]
    public async Task What_is_no_address_any_more_is_named_and_keeps_nobody_from_being_exported_or_unsubscribed()
    {
        const string passedOver = "Passed over: 'bob@exam ple.org' in the database is not an address: it holds a space. To end the subscription: `weeklydigest subscribers unsubscribe \"bob@exam ple.org\"`.";
        workspace.Write("in.csv", "email\nada@example.org\nbob@example.org\ncid@example.org\n");
        await workspace.RunHereAsync("subscribers", "import", "in.csv");
        await using (var connection = new SqliteConnection($"Data Source={workspace.DatabaseFile};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "UPDATE subscriber SET address = 'bob@exam ple.org' WHERE address = 'bob@example.org'";
            command.ExecuteNonQuery();
        }

        Assert.Equal((0, "email,name\r\nada@example.org,\r\ncid@example.org,", passedOver), await RunAsync("export"));
        Assert.Equal((0, "List in: 2 unsubscribed.", passedOver), await RunAsync("unsubscribe", "--list", "in"));
        Assert.Equal((1, "", "'bob@exam' is not an e-mail address."), await RunAsync("unsubscribe", "bob@exam"));
        Assert.Equal((0, "bob@exam ple.org: unsubscribed.", ""), await RunAsync("unsubscribe", "bob@exam ple.org"));
        Assert.Equal((0, "email,name", ""), await RunAsync("export"));

        async Task<(int ExitCode, string Out, string Error)> RunAsync(params string[] words)
        {
            var result = await workspace.RunHereAsync(["subscribers", .. words]);
            return (result.ExitCode, result.Out.TrimEnd(), result.Error.TrimEnd());
        }
    }

    [Theory]
    [InlineData("import none.csv", "There is no file ROOT/none.csv.")]
    [InlineData("import appsettings.json --list a/b", "'a/b' is not the name of a list: 1 to 64 letters, digits, dots, dashes and underscores.")]
    [InlineData("export --list none", "There is no list none; there are: none.")]
    [InlineData("add nobody", "'nobody' is not an e-mail address.")]
    [InlineData("add ada@example.org", "Say which list: --list NAME.")]
    [InlineData("add ada@example.org --list a --attribute x", "'x' is not KEY=VALUE; a key has 1 to 64 letters, digits, dots, dashes and underscores.")]
    [InlineData("show ada@example.org", "ada@example.org is not a subscriber.")]
    public async Task Refusals_say_why(string line, string expected)
    {
        var result = await workspace.RunHereAsync(["subscribers", .. line.Split(' ')]);
        Assert.Equal((1, "", expected.Replace("ROOT", workspace.Root, StringComparison.Ordinal)), (result.ExitCode, result.Out, result.Error.TrimEnd()));
    }

    [Fact]
    public async Task A_name_with_a_line_break_is_refused()
    {
        var result = await workspace.RunHereAsync("subscribers", "add", "ada@example.org", "--list", "a", "--name", "Ada\r\nBcc: eve@example.org");
        Assert.Equal((1, "The name holds a control character; write it in one line."), (result.ExitCode, result.Error.TrimEnd()));
    }
}
