using System.Collections.Concurrent;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>The end that a run foretells, where one receiving domain takes longer than all others, beside the end that came.</summary>
/// <remarks>How long the others take is the machine's; how long the one takes is its limit's, or its answers'.</remarks>
public sealed class ForetoldEndTests
{
    private const string Held = "@held.example";
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(2.5);
    private static readonly DeliveryOptions TwentyASecond = new() { Domains = [new DomainOptions { Name = "held.example", MessagesPerSecond = 20 }] };
    private static readonly DeliveryOptions TwoConnections = new() { Domains = [new DomainOptions { Name = "held.example", Connections = 2 }] };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public Task A_domain_with_a_limit_that_stands_in_front() => ForetellsAsync(TwentyASecond, 0, 500, i => i <= 160);

    [Fact]
    public Task A_domain_with_a_limit_that_comes_last() => ForetellsAsync(TwentyASecond, 0, 500, i => i > 340);

    [Fact]
    public Task A_domain_with_few_connections() => ForetellsAsync(TwoConnections, 100, 500, i => i % 4 == 0);

    [Fact]
    public Task A_domain_that_answers_slowly() => ForetellsAsync(new DeliveryOptions(), 200, 600, i => i % 5 == 0);

    private static async Task ForetellsAsync(DeliveryOptions options, int answerAfter, int recipients, Func<int, bool> isHeld)
    {
        await using var place = EnginePlace.Open(moment => moment.Stage == SmtpStage.Message ? After(moment.Recipient.EndsWith(Held, StringComparison.Ordinal) ? answerAfter : 10) : SmtpMove.Accept, options);
        var mailing = await place.PublishAsync(recipients, address: i => isHeld(i) ? $"r{i}{Held}" : $"r{i}@other{i % 100}.example");
        var told = new Told(place.Time);
        var result = await place.Start().Engine.RunAsync(mailing, told, Cancel);
        var end = place.Time.GetUtcNow();
        Assert.Equal((MailingState.Sent, recipients), (result.State, (int)result.Balance.Sent));

        var later = told.Reports.Where(report => report.At - told.From > Settled && report.Progress.Balance.Open > 0).ToList();
        Assert.NotEmpty(later);
        Assert.All(later, report =>
        {
            var left = (end - report.At).TotalSeconds;
            Assert.True(report.Progress.Remaining is { } foretold && Math.Abs(foretold.TotalSeconds - left) <= 0.4 * left + 1, $"{told.Words(end)}\nnot: {report.Progress}");
        });
    }

    private static SmtpMove After(int milliseconds) => milliseconds == 0 ? SmtpMove.Accept : SmtpMove.Hold(Task.Delay(TimeSpan.FromMilliseconds(milliseconds), TimeProvider.System), SmtpMove.Accept);

    private sealed class Told(TimeProvider time) : IProgress<DeliveryProgress>
    {
        public DateTimeOffset From { get; } = time.GetUtcNow();

        public ConcurrentQueue<(DateTimeOffset At, DeliveryProgress Progress)> Reports { get; } = new();

        public void Report(DeliveryProgress value) => Reports.Enqueue((time.GetUtcNow(), value));

        public string Words(DateTimeOffset end) => string.Join('\n', Reports.Select(report => FormattableString.Invariant($"{(report.At - From).TotalSeconds:0.0} s: {report.Progress.Balance.Open} open, {report.Progress.MessagesPerSecond:0.0} a second, foretold {report.Progress.Remaining?.TotalSeconds:0.0}, left {(end - report.At).TotalSeconds:0.0}")));
    }
}
