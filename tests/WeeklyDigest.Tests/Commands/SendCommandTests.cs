using System.Globalization;
using System.Text.Json;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Commands;

public sealed class SendCommandTests : IAsyncDisposable
{
    private readonly Workspace workspace = new();
    private readonly ScriptedSmtpServer relay = ScriptedSmtpServer.Start();

    public SendCommandTests()
    {
        workspace.UseRelay(relay.Port).WithSubscribers(3, "all");
        workspace.Write("issues/a.md", "---\ntitle: A\npermalink: /posts/a\n---\nHello {{ name | there }}.\n");
    }

    public async ValueTask DisposeAsync()
    {
        workspace.Dispose();
        await relay.DisposeAsync();
    }

    [Fact]
    public async Task Publishes_delivers_and_shows_a_balance_that_adds_up()
    {
        var result = await workspace.RunHereAsync("send", "a");
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        var lines = result.Out.TrimEnd().ReplaceLineEndings("\n").Split('\n');
        Assert.Equal("List all: 3 added, 0 updated, 0 unchanged, 0 kept out, 0 skipped.", lines[0]);
        Assert.Equal("a: published, 3 deliveries.", lines[1]);
        Assert.Equal("a: sent", lines[^10]);
        Assert.Equal("  sent               3", lines[^5]);
        Assert.Equal("3 = 0 pending + 0 claimed + 0 sending + 0 deferred + 3 sent + 0 failed + 0 suppressed + 0 uncertain", lines[^1]);
        Assert.Equal(3, relay.Accepted.Select(message => message.Recipient).Distinct().Count());
    }

    [Fact]
    public async Task What_it_keeps_is_for_nobody_elses_eyes()
    {
        using var own = new Workspace().WithWeek1().WithSubscribers(1);
        Assert.Equal(0, (await own.RunHereAsync("send", "week-1")).ExitCode);
        foreach (var folder in new[] { "data", "data/inbox", "data/locks" })
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, new DirectoryInfo(own.PathOf(folder)).UnixFileMode);
    }

    [Fact]
    public async Task Run_again_it_sends_nobody_a_second_copy()
    {
        await workspace.RunHereAsync("send", "a");
        var again = await workspace.RunHereAsync("send", "issues/a.md");
        Assert.Equal(0, again.ExitCode);
        Assert.StartsWith("a: was published before; nobody is added.\na: nothing is left to send.\na: sent\n", again.Out.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.Equal(3, relay.AcceptedCount);
    }

    [Theory]
    [InlineData("subscribers/open.csv", "email\nx@example.com\n\"y@example.com", "Line 3: the quotation mark that opens here is never closed.")]
    [InlineData("subscribers/a b.csv", "email\nx@example.com\n", "The file's name is no list name.")]
    [InlineData("subscribers/none.csv", "name,email\nx@example.com,Ann\n", "No row can be used (1 skipped).")]
    public async Task A_list_that_cannot_be_read_keeps_the_whole_issue_back(string file, string content, string reason)
    {
        workspace.Write(file, content);
        foreach (var command in new[] { "check", "send" })
        {
            var result = await workspace.RunHereAsync(command, "a");
            Assert.Equal(1, result.ExitCode);
            Assert.Contains($"{workspace.PathOf(file)} cannot be used. {reason}", result.Out + result.Error, StringComparison.Ordinal);
        }
        Assert.Equal("", (await workspace.RunHereAsync("subscribers", "export")).Out.ReplaceLineEndings("\n").Split('\n', 2)[1]);
        Assert.Equal(0, relay.AcceptedCount);

        Assert.Equal(0, (await workspace.RunHereAsync("send", "a", "--list", "all")).ExitCode);
        Assert.Equal(3, relay.AcceptedCount);
    }

    [Theory]
    [InlineData("Hello {{ nobody }}.", "")]
    [InlineData("Hello.", "nope")]
    [InlineData("Hello.\n\n[x]()", "")]
    public async Task What_is_refused_has_imported_nobody(string body, string list)
    {
        workspace.Write("issues/a.md", $"---\ntitle: A\npermalink: /posts/a\n---\n{body}\n");
        Assert.Equal(1, (await workspace.RunHereAsync(list.Length > 0 ? ["send", "a", "--list", list] : ["send", "a"])).ExitCode);
        Assert.Equal("", (await workspace.RunHereAsync("subscribers", "export")).Out.ReplaceLineEndings("\n").Split('\n', 2)[1]);
    }

    [Theory]
    [InlineData("issues/a.md", "---\ntitle: A\npermalink: /posts/a\n---\n[x]()\n")]
    [InlineData("issues/b.md", "---\ntitle: B\npermalink: /posts/a\n---\nHello.\n")]
    [InlineData("subscribers/b.csv", "nothing\n")]
    public async Task What_breaks_after_publishing_keeps_nobody_from_their_copy(string file, string content)
    {
        workspace.Set("Delivery:FirstRetryAfter", "00:00:01");
        relay.Script = moment => moment is { Stage: SmtpStage.RcptTo, Time: 1 } ? SmtpMove.Reply("451 4.2.1 later") : SmtpMove.Accept;
        Assert.Equal(3, (await workspace.RunHereAsync("send", "a")).ExitCode);
        workspace.Write(file, content);
        Assert.Equal(0, (await workspace.RunHereAsync("send", "issues/a.md", "--wait")).ExitCode);
        Assert.Equal(3, relay.AcceptedCount);
    }

    [Fact]
    public async Task What_was_published_goes_on_without_its_file_and_not_a_second_time_under_the_files_new_name()
    {
        workspace.Set("Delivery:FirstRetryAfter", "00:00:01");
        relay.Script = moment => moment is { Stage: SmtpStage.RcptTo, Time: 1 } ? SmtpMove.Reply("451 4.2.1 later") : SmtpMove.Accept;
        workspace.Write("issues/week-2.md", "---\ntitle: Two\n---\nHello.\n");
        Assert.Equal(3, (await workspace.RunHereAsync("send", "week-2")).ExitCode);
        File.Move(workspace.PathOf("issues/week-2.md"), workspace.PathOf("issues/week-9.md"));

        var (exitCode, error) = await RefusalAsync("send", "week-9");
        Assert.Equal(1, exitCode);
        Assert.StartsWith("week-9 has the same content as week-2, which was published at ", error, StringComparison.Ordinal);
        Assert.Contains("is sending, and was sent to 0 of 3. `weeklydigest send week-2` goes on with it.", error, StringComparison.Ordinal);
        var elsewhere = await RefusalAsync("send", "week-2", "--list", "other");
        Assert.StartsWith("The file of week-2 is gone; adding a list needs it.", elsewhere.Error, StringComparison.Ordinal);

        var rest = await workspace.RunHereAsync("send", "issues/week-2.md", "--wait");
        Assert.Equal((0, "week-2: its file is gone; what goes out is what was published."), (rest.ExitCode, rest.Error.TrimEnd()));
        Assert.Equal(3, relay.AcceptedCount);
    }

    [Fact]
    public async Task Says_when_the_issue_changed_since_it_was_published()
    {
        await workspace.RunHereAsync("send", "a");
        workspace.Write("issues/a.md", "---\ntitle: A\npermalink: /posts/a\n---\nGoodbye.\n");
        var again = await workspace.RunHereAsync("send", "a");
        Assert.Equal((0, "a: has changed since it was published; what goes out is what was published."), (again.ExitCode, again.Error.TrimEnd()));
    }

    [Fact]
    public async Task Status_has_the_shape_of_the_contract()
    {
        await workspace.RunHereAsync("send", "a");
        var result = await workspace.RunHereAsync("status", "a", "--json");
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        var status = JsonDocument.Parse(result.Out).RootElement;
        Assert.Equal(
            ["issue", "mailing", "state", "total", "pending", "claimed", "sending", "deferred", "sent", "failed", "suppressed", "uncertain", "attempts",
                "startedAt", "finishedAt", "bounced", "complained", "unsubscribed", "scheduledAt", "alarms", "relaysAside", "stateReason"],
            status.EnumerateObject().Select(member => member.Name));
        Assert.Equal(("a", "sent", 3, 3, 3), (status.GetProperty("issue").GetString(), status.GetProperty("state").GetString(),
            status.GetProperty("total").GetInt32(), status.GetProperty("sent").GetInt32(), status.GetProperty("attempts").GetInt32()));
        Assert.True(status.GetProperty("startedAt").GetDateTimeOffset() <= status.GetProperty("finishedAt").GetDateTimeOffset());
        var all = JsonDocument.Parse((await workspace.RunHereAsync("status", "--json")).Out).RootElement;
        Assert.Equal(JsonSerializer.Serialize(status), JsonSerializer.Serialize(Assert.Single(all.EnumerateArray())));
    }

    [Fact]
    public async Task Deliveries_name_everybody_with_the_relays_reply()
    {
        relay.Script = moment => moment.Stage == SmtpStage.RcptTo && moment.Recipient.StartsWith("subscriber000002", StringComparison.Ordinal)
            ? SmtpMove.Reply("550 5.1.1 \"=no\", such, user")
            : SmtpMove.Accept;
        var sent = await workspace.RunHereAsync("send", "a");
        Assert.Equal((3, "1 failed: `weeklydigest retry a --failed` tries them once more, but for who bounced or left; `weeklydigest deliveries a --state failed` lists them."), (sent.ExitCode, sent.Error.TrimEnd()));

        var rows = JsonDocument.Parse((await workspace.RunHereAsync("deliveries", "a", "--json")).Out).RootElement.EnumerateArray().ToList();
        Assert.Equal(["address", "state", "attempts", "reply", "messageId", "updatedAt"], rows[0].EnumerateObject().Select(member => member.Name));
        Assert.Equal(["sent", "failed", "sent"], rows.Select(row => row.GetProperty("state").GetString()!));
        Assert.Contains("5.1.1", rows[1].GetProperty("reply").GetString(), StringComparison.Ordinal);
        Assert.Equal(
            relay.Accepted.Select(message => message.MessageId).Order(StringComparer.Ordinal),
            new[] { rows[0], rows[2] }.Select(row => row.GetProperty("messageId").GetString()!).Order(StringComparer.Ordinal));

        var failed = await workspace.RunHereAsync("deliveries", "a", "--state", "failed", "--csv");
        Assert.Matches("^address,state,attempts,reply,messageId,updatedAt\r\nsubscriber000002@example.com,failed,1,\"550 [^\r]*\"\"=no\"\", such, user\",[^,]+,[^,]+\r\n$", failed.Out);
        Assert.Contains("failed      1  subscriber000002@example.com  550", (await workspace.RunHereAsync("deliveries", "a")).Out, StringComparison.Ordinal);
        Assert.Matches(
            @"^subscriber000002@example\.com: on list all\. It had bounced, since \d{4}-\d\d-\d\d \d\d:\d\d UTC \(refused by the relay: 550 5\.1\.1 [^\n]*\), and gets mail again\.\s*$",
            (await workspace.RunHereAsync("subscribers", "add", "subscriber000002@example.com", "--list", "all")).Out);
    }

    [Fact]
    public async Task With_deferred_deliveries_left_it_returns_with_3_and_a_later_run_finishes()
    {
        workspace.Set("Delivery:FirstRetryAfter", "00:00:01");
        relay.Script = moment => moment is { Stage: SmtpStage.RcptTo, Time: 1 } ? SmtpMove.Reply("451 4.2.1 later") : SmtpMove.Accept;
        var first = await workspace.RunHereAsync("send", "a");
        Assert.Equal(3, first.ExitCode);
        Assert.Contains("3 deferred", first.Out, StringComparison.Ordinal);
        Assert.StartsWith("Deferred deliveries are tried again from ", first.Error, StringComparison.Ordinal);

        Assert.Equal(0, (await workspace.RunHereAsync("send", "a", "--wait")).ExitCode);
        Assert.Equal(3, relay.AcceptedCount);
    }

    [Fact]
    public async Task Waits_for_deferred_deliveries_when_asked()
    {
        workspace.Set("Delivery:FirstRetryAfter", "00:00:01");
        relay.Script = moment => moment is { Stage: SmtpStage.RcptTo, Time: 1 } ? SmtpMove.Reply("451 4.2.1 later") : SmtpMove.Accept;
        Assert.Equal(0, (await workspace.RunHereAsync("send", "a", "--wait")).ExitCode);
        Assert.Equal(3, relay.AcceptedCount);
    }

    [Fact]
    public async Task A_time_in_the_future_schedules()
    {
        var result = await workspace.RunHereAsync("send", "a", "--at", $"{Day(1)}T09:00");
        Assert.Equal(0, result.ExitCode);
        Assert.Contains($"a: scheduled for {Day(1)} 09:00:00 +00:00", result.Out, StringComparison.Ordinal);
        Assert.Contains("3 = 3 pending", result.Out, StringComparison.Ordinal);
        Assert.Equal(0, relay.AcceptedCount);
        Assert.Equal("scheduled", JsonDocument.Parse((await workspace.RunHereAsync("status", "a", "--json")).Out).RootElement.GetProperty("state").GetString());
    }

    [Fact]
    public async Task What_is_scheduled_is_given_another_time_as_often_as_it_is_asked_for_until_it_begins()
    {
        await workspace.RunHereAsync("send", "a", "--at", $"{Day(1)}T09:00");
        var moved = await workspace.RunHereAsync("send", "a", "--at", $"{Day(2)}T09:00");
        Assert.Equal((0, ""), (moved.ExitCode, moved.Error));
        Assert.Contains($"a: starts at {Day(2)} 09:00:00 +00:00 instead of {Day(1)} 09:00:00 +00:00.", moved.Out, StringComparison.Ordinal);
        Assert.Contains($"a: scheduled for {Day(2)} 09:00:00 +00:00", moved.Out, StringComparison.Ordinal);
        Assert.Equal((1, $"2001-01-01 09:00:00 +00:00 is in the past; a stays scheduled for {Day(2)} 09:00:00 +00:00."), await RefusalAsync("send", "a", "--at", "2001-01-01T09:00"));
        Assert.DoesNotContain("instead", (await workspace.RunHereAsync("send", "a", "--at", $"{Day(2)}T10:00+01:00")).Out, StringComparison.Ordinal);

        await workspace.RunHereAsync("pause", "a");
        workspace.Write("issues/a.md", "---\ntitle: A\npermalink: /posts/a\n---\nGood morning {{ name | there }}.\n");
        var held = await workspace.RunHereAsync("send", "a", "--at", $"{Day(3)}T09:00");
        Assert.Contains($"a: paused: by the editor; its time is {Day(3)} 09:00:00 +00:00", held.Out, StringComparison.Ordinal);
        Assert.EndsWith("It is paused, and stays so until `weeklydigest resume a`.", held.Out.TrimEnd(), StringComparison.Ordinal);
        Assert.Equal((0, "a: has changed since it was published; at its new time it goes out as it is now."), (held.ExitCode, held.Error.TrimEnd()));
        Assert.Equal($"a: scheduled for {Day(3)} 09:00:00 +00:00", (await workspace.RunHereAsync("resume", "a")).Out.TrimEnd());
        var status = JsonDocument.Parse((await workspace.RunHereAsync("status", "a", "--json")).Out).RootElement;
        Assert.Equal(Workspace.Later.AddDays(2), status.GetProperty("scheduledAt").GetDateTimeOffset());
        Assert.Equal(0, relay.AcceptedCount);
    }

    [Fact]
    public async Task What_has_begun_takes_no_other_time()
    {
        await workspace.RunHereAsync("send", "a");
        Assert.Equal((1, "a is sent; only a mailing that has not begun can be given another time. Nothing was changed."), await RefusalAsync("send", "a", "--at", $"{Day(1)}T09:00"));
        Assert.Equal(0, (await workspace.RunHereAsync("send", "a", "--at", "2001-01-01T09:00")).ExitCode);
        Assert.Equal(3, relay.AcceptedCount);
    }

    [Fact]
    public async Task The_editor_pauses_resumes_and_cancels()
    {
        await workspace.RunHereAsync("send", "a", "--at", $"{Day(1)}T09:00");
        Assert.Equal($"a: paused: by the editor; its time is {Day(1)} 09:00:00 +00:00", (await workspace.RunHereAsync("pause", "a")).Out.TrimEnd());
        Assert.Equal((1, "a is paused; pause works on one that is scheduled or sending."), await RefusalAsync("pause", "a"));
        Assert.StartsWith($"a: scheduled for {Day(1)}", (await workspace.RunHereAsync("resume", "a")).Out, StringComparison.Ordinal);
        Assert.Equal("a: cancelled: by the editor", (await workspace.RunHereAsync("cancel", "a")).Out.TrimEnd());
        Assert.Equal((1, "a is cancelled; resume works on one that is paused."), await RefusalAsync("resume", "a"));
        var again = await workspace.RunHereAsync("send", "a");
        Assert.Equal((1, "Cancelled; what was not sent stays unsent."), (again.ExitCode, again.Error.TrimEnd()));
        Assert.Equal(["a: was published before; nobody is added.", "a: cancelled: by the editor"], again.Out.ReplaceLineEndings("\n").Split('\n')[..2]);
        Assert.Equal(0, relay.AcceptedCount);
    }

    [Fact]
    public async Task A_preview_goes_to_the_editor_only_and_leaves_no_delivery()
    {
        var result = await workspace.RunHereAsync("preview", "a");
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.StartsWith("a: preview sent to editor@example.com: ", result.Out, StringComparison.Ordinal);
        Assert.Equal(0, (await workspace.RunHereAsync("preview", "a", "--to", "Ada <ada@example.org>")).ExitCode);
        Assert.Equal(["editor@example.com", "ada@example.org"], relay.Accepted.Select(message => message.Recipient));
        Assert.Equal("[]", (await workspace.RunHereAsync("status", "--json")).Out.TrimEnd());
    }

    [Theory]
    [InlineData("send a --at 2001-01-01T09:00", "2001-01-01 09:00:00 +00:00 is in the past; leave --at out to send at once.")]
    [InlineData("send a --list a/b", "'a/b' is not the name of a list: 1 to 64 letters, digits, dots, dashes and underscores.")]
    [InlineData("preview a --to nobody", "'nobody' is not an e-mail address.")]
    [InlineData("status a", "a has not been published; `weeklydigest send` does that.")]
    [InlineData("pause a", "a has not been published; `weeklydigest send` does that.")]
    public async Task Refusals_say_why(string line, string expected) => Assert.Equal((1, expected), await RefusalAsync(line.Split(' ')));

    [Theory]
    [InlineData("soon")]
    [InlineData("9999-01-01T09:00")]
    [InlineData("9998-01-01T09:00")]
    public async Task A_time_that_is_none_or_years_ahead_is_wrong_usage_and_nothing_is_published(string at)
    {
        var (code, error) = await RefusalAsync("send", "a", "--at", at);
        Assert.Equal((2, true), (code, error.Contains(at, StringComparison.Ordinal)));
        Assert.Equal("[]", (await workspace.RunHereAsync("status", "--json")).Out.TrimEnd());
    }

    // The first is in some weeks.
    private static string Day(int number) => Workspace.Later.AddDays(number - 1).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private async Task<(int ExitCode, string Error)> RefusalAsync(params string[] line)
    {
        var result = await workspace.RunHereAsync(line);
        return (result.ExitCode, result.Error.TrimEnd());
    }
}
