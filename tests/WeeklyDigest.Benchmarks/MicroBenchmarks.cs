using System.Security.Cryptography;
using BenchmarkDotNet.Attributes;
using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Feedback;
using WeeklyDigest.Issues;
using WeeklyDigest.Publishing;
using WeeklyDigest.Rendering;
using WeeklyDigest.Rendering.Razor;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Benchmarks;

/// <summary>The steps of the pipeline one by one, on the benchmarks' issue of 37 KB. Needs the repository's templates: run it from the clone.</summary>
[MemoryDiagnoser]
public class MicroBenchmarks
{
    private static readonly RelayAbilities Modern = new(EightBitMime: true, SmtpUtf8: true);
    private static readonly Newsletter Newsletter = new(
        "Weekly Digest", new Mailbox("Weekly Digest", Address("digest@digest.example")), null, new Uri("https://digest.example"), "1 Example Street", "en", null);

    private readonly byte[] markdown = System.Text.Encoding.UTF8.GetBytes(IssueText.Write());
    private readonly IssueRenderer renderer = new(Path.Combine(InstalledProgram.Clone(), "templates"), ViewLibrary.InProcess);
    private readonly MessageBuffer buffer = new();
    private readonly Subscriber subscriber = new(17, Address("ada@reader.example"), "Ada Lovelace", new Dictionary<string, string>(), SubscriberStatus.Active, []);
    private Issue issue = null!;
    private MailingMessages messages = null!;
    private MessageComposer plain = null!;
    private MessageComposer signing = null!;

    [GlobalSetup]
    public async Task PrepareAsync()
    {
        issue = Parsing()!;
        var email = await renderer.RenderAsync(issue, Newsletter, new DateOnly(2026, 1, 5), CancellationToken.None);
        messages = new MailingMessages("week-1", new FrozenContent(Newsletter, "Five papers", "/posts/week-1", email, "", DateTimeOffset.UnixEpoch), new LinkTokens(new byte[32]));
        plain = new MessageComposer(messages.Content);
        using var key = RSA.Create(2048);
        signing = new MessageComposer(messages.Content, new DkimSigner("digest.example", [new DkimRsaKey("s1", key)]));
    }

    /// <summary>Markdown to issue.</summary>
    [Benchmark]
    public Issue? Parsing() => IssueParser.Parse(markdown, "week-1").Issue;

    /// <summary>Issue to e-mail; once per mailing. The templates are compiled already.</summary>
    [Benchmark]
    public Task<RenderedEmail> Rendering() => renderer.RenderAsync(issue, Newsletter, new DateOnly(2026, 1, 5), CancellationToken.None);

    /// <summary>What differs for a recipient: links, Message-ID.</summary>
    [Benchmark]
    public MessageRecipient Personalising() => messages.For(new DeliveryId(1, 17), subscriber);

    /// <summary>The message of a recipient, links and Message-ID included.</summary>
    [Benchmark]
    public ComposedMessage Composing() => plain.Compose(messages.For(new DeliveryId(1, 17), subscriber), Modern, buffer);

    /// <summary>The same, signed with RSA-2048.</summary>
    [Benchmark]
    public ComposedMessage ComposingAndSigning() => signing.Compose(messages.For(new DeliveryId(1, 17), subscriber), Modern, buffer);

    private static EmailAddress Address(string text) => EmailAddress.TryParse(text, out var address) ? address : throw new ArgumentException(text);
}
