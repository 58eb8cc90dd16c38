using System.Globalization;
using MimeKit;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Commands;

/// <summary>What the commands say and show of an issue whose file was edited, spoilt or removed after it was published.</summary>
public sealed class ChangedFileTests : IAsyncDisposable
{
    private const string Goes = "what goes out is what was published.";
    private const string AnotherTime = "`weeklydigest send a --at TIME` with another time takes it as it is";

    private readonly Workspace workspace = new();
    private readonly ScriptedSmtpServer relay = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { KeepBytes = true });

    public ChangedFileTests()
    {
        workspace.UseRelay(relay.Port).WithSubscribers(3, "all");
        Write("First", "Version one.");
    }

    public async ValueTask DisposeAsync()
    {
        workspace.Dispose();
        await relay.DisposeAsync();
    }

    [Fact]
    public async Task What_is_scheduled_is_previewed_as_it_goes_out_and_every_command_says_that_the_file_is_another()
    {
        await ScheduleAsync(1);
        await QuietAsync();
        Write("Second", "Version TWO.");
        var expected = $"a: has changed since it was published; {Goes} {AnotherTime} now.";

        await PreviewIsOfWhatWasPublishedAsync(expected);
        Assert.EndsWith(expected, (await workspace.RunHereAsync("status", "a")).Out.TrimEnd(), StringComparison.Ordinal);
        var check = await workspace.RunHereAsync("check", "a");
        Assert.Equal(0, check.ExitCode);
        Assert.Contains($"a.md:1:1: warning published-otherwise: It has changed since it was published; {Goes} {AnotherTime} now.", check.Out, StringComparison.Ordinal);
        Assert.EndsWith("a: no errors.", check.Out.TrimEnd(), StringComparison.Ordinal);
        Assert.Contains("published-otherwise", (await workspace.RunHereAsync("check", "a", "--json")).Out, StringComparison.Ordinal);
        var render = await workspace.RunHereAsync("render", "a", "--out", "out");
        Assert.Equal((0, expected), (render.ExitCode, render.Error.TrimEnd()));

        await ScheduleAsync(2);
        await QuietAsync();
        Assert.Equal("[Preview] Second", (await PreviewAsync()).Message.Subject);
    }

    [Fact]
    public async Task Errors_in_the_file_do_not_keep_the_editor_from_seeing_what_goes_out()
    {
        await ScheduleAsync(1);
        Write("", "{{ nobody }}");
        var expected = $"a: has errors now; {Goes} Once they are mended, {AnotherTime} then.";
        await PreviewIsOfWhatWasPublishedAsync(expected);
        Assert.EndsWith(expected, (await workspace.RunHereAsync("status", "a")).Out.TrimEnd(), StringComparison.Ordinal);
        var check = await workspace.RunHereAsync("check", "a");
        Assert.Equal(1, check.ExitCode);
        Assert.Contains($"It has errors now; {Goes}", check.Out, StringComparison.Ordinal);
        await workspace.RunHereAsync("pause", "a");
        Assert.StartsWith("a: has errors now; what goes out is what was published.", (await workspace.RunHereAsync("send", "a")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nor_does_a_file_that_is_gone()
    {
        await ScheduleAsync(1);
        File.Delete(workspace.PathOf("issues/a.md"));
        Write("Another", "Another.", "b");
        var expected = $"a: its file is gone; {Goes} Once it is back, {AnotherTime} then.";
        await PreviewIsOfWhatWasPublishedAsync(expected);
        Assert.EndsWith(expected, (await workspace.RunHereAsync("status", "a")).Out.TrimEnd(), StringComparison.Ordinal);

        // Another permalink makes it another issue.
        workspace.Write("issues/a.md", "---\ntitle: Other\npermalink: /posts/c\n---\nHello.\n");
        await PreviewIsOfWhatWasPublishedAsync(expected);
        File.Delete(workspace.PathOf("issues/a.md"));

        await workspace.RunHereAsync("cancel", "a");
        Assert.DoesNotContain("gone", (await workspace.RunHereAsync("status", "a")).Out, StringComparison.Ordinal);
        var preview = await workspace.RunHereAsync("preview", "a");
        Assert.Equal(1, preview.ExitCode);
        Assert.StartsWith("There is no issue 'a' in ", preview.Error, StringComparison.Ordinal);
    }

    // A folder in its place is what even root cannot read.
    [Fact]
    public async Task A_template_that_cannot_be_read_keeps_nothing_from_going_out_that_was_published()
    {
        relay.Script = moment => moment.Stage == SmtpStage.RcptTo ? SmtpMove.Reply("451 4.2.1 later") : SmtpMove.Accept;
        Assert.Equal(3, (await workspace.RunHereAsync("send", "a")).ExitCode);
        var styles = workspace.PathOf("templates/styles.css");
        File.Delete(styles);
        Directory.CreateDirectory(styles);

        var status = await workspace.RunHereAsync("status", "a");
        Assert.Equal((0, ""), (status.ExitCode, status.Error));
        Assert.Contains(Goes, status.Out, StringComparison.Ordinal);
        var check = await workspace.RunHereAsync("check", "a");
        Assert.Equal((1, ""), (check.ExitCode, check.Error));
        Assert.Contains("error template: ", check.Out, StringComparison.Ordinal);
        Assert.Contains(styles, check.Out, StringComparison.Ordinal);
        Assert.Matches(@"(?m)^.*templates.*a cannot be sent: .*styles\.css(?s:.*)clock", (await workspace.RunHereAsync("doctor")).Out);
        var send = await workspace.RunHereAsync("send", "a");
        Assert.Equal(3, send.ExitCode);
        Assert.Contains(Goes, send.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_has_begun_takes_no_new_text_and_the_way_to_send_it_is_told()
    {
        relay.Script = moment => moment.Stage == SmtpStage.RcptTo ? SmtpMove.Reply("451 4.2.1 later") : SmtpMove.Accept;
        Assert.Equal(3, (await workspace.RunHereAsync("send", "a")).ExitCode);
        Write("Second", "Version TWO.");
        Assert.EndsWith(
            $"a: has changed since it was published; {Goes} To send it as it is now: `weeklydigest cancel a`, and then send it under another name.",
            (await workspace.RunHereAsync("status", "a")).Out.TrimEnd(),
            StringComparison.Ordinal);

        // What was told is what helps.
        relay.Script = _ => SmtpMove.Accept;
        await workspace.RunHereAsync("cancel", "a");
        File.Move(workspace.PathOf("issues/a.md"), workspace.PathOf("issues/b.md"));
        Assert.Equal(0, (await workspace.RunHereAsync("send", "b")).ExitCode);
        Assert.Equal(3, relay.AcceptedCount);
    }

    [Fact]
    public async Task Of_what_is_sent_the_file_is_previewed_and_nothing_is_said()
    {
        Assert.Equal(0, (await workspace.RunHereAsync("send", "a")).ExitCode);
        Write("Second", "Version TWO.");
        await QuietAsync();
        Assert.Equal("[Preview] Second", (await PreviewAsync()).Message.Subject);
    }

    private async Task PreviewIsOfWhatWasPublishedAsync(string note)
    {
        var (result, message) = await PreviewAsync();
        Assert.Equal((0, note), (result.ExitCode, result.Error.TrimEnd()));
        Assert.StartsWith("a: preview of what was published sent to editor@example.com: ", result.Out, StringComparison.Ordinal);
        Assert.Equal("[Preview] First", message.Subject);
        Assert.Contains("Version one.", message.TextBody, StringComparison.Ordinal);
        // A message of weeks ahead stays on top of the mailbox, or is taken for spam.
        Assert.True(message.Date < Workspace.Later.AddDays(-1));
    }

    private async Task<(CommandResult Result, MimeMessage Message)> PreviewAsync()
    {
        var result = await workspace.RunHereAsync("preview", "a");
        Assert.True(result.ExitCode == 0, result.ToString());
        return (result, MimeMessage.Load(new MemoryStream(relay.Accepted[^1].Bytes.ToArray()), TestContext.Current.CancellationToken));
    }

    // Nothing differs, or nothing is left to go out.
    private async Task QuietAsync()
    {
        foreach (var line in new[] { "status a", "check a", "render a --out out", "preview a" })
        {
            var result = await workspace.RunHereAsync(line.Split(' '));
            Assert.True((result.ExitCode, result.Error) == (0, ""), line + ": " + result);
            Assert.DoesNotContain(Goes, result.Out, StringComparison.Ordinal);
        }
        Assert.EndsWith("a: ready to send.", (await workspace.RunHereAsync("check", "a")).Out.TrimEnd(), StringComparison.Ordinal);
    }

    private async Task ScheduleAsync(int day)
    {
        var at = Workspace.Later.AddDays(day).ToString("yyyy-MM-dd'T'HH:mm", CultureInfo.InvariantCulture);
        Assert.Equal(0, (await workspace.RunHereAsync("send", "a", "--at", at)).ExitCode);
    }

    private void Write(string title, string text, string name = "a") => workspace.Write($"issues/{name}.md", $"---\ntitle: {title}\n---\nHello {{{{ name | there }}}}. {text}\n");
}
