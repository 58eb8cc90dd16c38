using System.CommandLine;
using System.Text;
using WeeklyDigest.Audience;
using WeeklyDigest.Feedback;
using WeeklyDigest.Issues;
using WeeklyDigest.Publishing;
using WeeklyDigest.Smtp;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Server.Commands;

/// <summary>
/// <c>render ISSUE --out DIR [--as ADDRESS]</c>: writes issue.html, issue.txt and issue.eml as that subscriber would get them. Needs no
/// database; an address nobody knows, or none, shows the fallbacks. The links to unsubscribe are those of a preview: they work and
/// change nothing.
/// </summary>
internal static class RenderCommand
{
    private const string Nobody = "subscriber@example.com";

    private static readonly string[] Names = ["issue.html", "issue.txt", "issue.eml"];

    /// <summary>The command.</summary>
    public static Command Create(CommandEdge edge)
    {
        var issue = Inputs.Issue();
        var folder = new Option<string>("--out") { HelpName = "DIR", Required = true, Description = "The folder for issue.html, issue.txt and issue.eml; created when missing." };
        var recipient = new Option<string?>("--as") { HelpName = "ADDRESS", Description = "Whose message. Default: a subscriber without name and attributes." };
        var command = new Command("render", "Write an issue as it will arrive.") { issue, folder, recipient };
        command.SetAction(edge.Run((run, parsed, cancel) => RunAsync(
            run, parsed.GetRequiredValue(issue), parsed.GetRequiredValue(folder), parsed.GetValue(recipient), cancel)));
        return command;
    }

    private static async Task<int> RunAsync(CommandRun run, string name, string folder, string? addressText, CancellationToken cancel)
    {
        var address = Inputs.ReadAddress(addressText ?? Nobody);
        var target = run.PathOf(folder);
        var file = run.Issue(name);
        try
        {
            return await WriteAsync(run, file, target, address, addressText is not null, cancel);
        }
        catch (Exception problem) when (problem is RefusedException or Rendering.TemplateException)
        {
            // Whoever looks there finds the issue before this one, and takes it for this one.
            if (OutputFolder.Remove(target, Names)) await run.Error.WriteLineAsync($"What was rendered into {target} before is removed:");
            throw;
        }
    }

    private static async Task<int> WriteAsync(CommandRun run, IssueFile file, string target, EmailAddress address, bool isNamed, CancellationToken cancel)
    {
        var issue = Findings.Require(file);
        var (known, key) = await FromDatabaseAsync(run, address, cancel);
        var subscriber = !isNamed ? null : known ?? await FindInFilesAsync(run, address);
        var (content, recipient) = await ContentAsync(run, issue, new Mailbox(subscriber?.Name, address), subscriber, new LinkTokens(key), cancel);
        var message = new MessageComposer(content, run.Settings.Dkim).Compose(recipient, new RelayAbilities(EightBitMime: true, SmtpUtf8: address.NeedsSmtpUtf8));
        var written = await OutputFolder.WriteAsync(target, new Dictionary<string, ReadOnlyMemory<byte>>
        {
            [Names[0]] = Encoding.UTF8.GetBytes(content.Html.Fill(recipient.Values)),
            [Names[1]] = Encoding.UTF8.GetBytes(content.Text.Fill(recipient.Values)),
            [Names[2]] = message.Bytes,
        }, cancel);
        foreach (var path in written) await run.Out.WriteLineAsync(path);
        if (await PublishedFile.FindChangedAsync(run.Settings, run.Host.Time, file, cancel) is var (mailing, change)) await run.Error.WriteLineAsync(FileWords.Line(mailing, change));
        return CommandLine.Done;
    }

    private static async Task<(MessageContent Content, MessageRecipient Recipient)> ContentAsync(
        CommandRun run, Issue issue, Mailbox to, Subscriber? subscriber, LinkTokens tokens, CancellationToken cancel)
    {
        var (settings, now) = (run.Settings, new ZonedTime(run.Host.Time, run.Settings.Schedule.TimeZone).GetLocalNow());
        var email = await CompilerProcess.Renderer(settings.Paths)
            .RenderAsync(issue, settings.Newsletter, issue.Date ?? DateOnly.FromDateTime(now.DateTime), cancel);
        var frozen = new FrozenContent(settings.Newsletter, issue.Title, issue.Permalink, email, "", now);
        var messages = new MailingMessages(issue.Slug.Value, frozen, tokens);
        return (messages.Content, messages.ForPreview(to, subscriber));
    }

    // The installation's own key makes links that its server knows; without a database there is no server to ask, and any key will do.
    private static async Task<(Subscriber? Known, byte[] LinkKey)> FromDatabaseAsync(CommandRun run, EmailAddress address, CancellationToken cancel)
    {
        if (!Database.Exists(run.Settings.Storage)) return (null, Installation.NewLinkKey());
        using var database = Installation.OpenDatabase(run.Settings, run.Host.Time);
        return (await database.Subscribers.FindAsync(address, cancel), await Installation.LinkKeyAsync(database, cancel));
    }

    // A file that cannot be used keeps nobody's message back. Who stands in it alone gets the fallbacks, but not without a word.
    private static async Task<Subscriber?> FindInFilesAsync(CommandRun run, EmailAddress address)
    {
        foreach (var file in ListFolder.Files(run.Settings.Paths.Subscribers))
        {
            var (row, problem) = Find(file, address);
            if (row is not null) return new Subscriber(0, row.Address, row.Name, row.Attributes, SubscriberStatus.Active, []);
            if (problem is not null) await run.Error.WriteLineAsync($"{file.Path} is passed over. {problem}");
        }
        return null;
    }

    private static (SubscriberRow? Row, string? Problem) Find(ListFile file, EmailAddress address)
    {
        if (file.Problem is not null) return (null, file.Problem);
        try
        {
            using var stream = RegularFile.OpenRead(file.Path);
            return (SubscriberCsv.Read(stream, _ => { }).FirstOrDefault(row => row.Address == address), null);
        }
        catch (Exception problem) when (ListFolder.IsRefusal(problem))
        {
            return (null, problem.Message);
        }
    }
}
