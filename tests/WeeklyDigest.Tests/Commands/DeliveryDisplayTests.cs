using WeeklyDigest.Publishing;
using WeeklyDigest.Server;
using WeeklyDigest.Server.Commands;

namespace WeeklyDigest.Tests.Commands;

public sealed class DeliveryDisplayTests
{
    private static readonly Balance Half = new(Total: 10, Pending: 3, Claimed: 1, Sending: 1, Deferred: 1, Sent: 3, Failed: 1, Suppressed: 0, Uncertain: 0, Attempts: 6, Unsubscribed: 0);

    [Fact]
    public void A_line_names_every_state_that_has_deliveries()
        => Assert.Equal(
            "3 pending, 1 claimed, 1 sending, 1 deferred, 3 sent, 1 failed of 10; 2.5 a second; about 62 minutes left, until 14:05 +01:00; the relay is down",
            DeliveryDisplay.Describe(new DeliveryProgress(Half, 2.5, new TimeSpan(1, 2, 3), "the relay is down") { DoneAt = new DateTimeOffset(2026, 3, 1, 14, 5, 9, TimeSpan.FromHours(1)) }));

    [Fact]
    public void Beside_a_bar_stands_what_was_sent_and_what_needs_a_look()
        => Assert.Equal("1 deferred, 3 sent, 1 failed of 10; time left unknown", DeliveryDisplay.Summarize(new DeliveryProgress(Half, 0, null, null)));

    [Fact]
    public void Before_anything_is_known_there_is_nothing_to_count()
    {
        var progress = new DeliveryProgress(Balance.OfNew(0), 0, null, "the ledger cannot be used");
        Assert.Equal(("the ledger cannot be used", "the ledger cannot be used"), (DeliveryDisplay.Describe(progress), DeliveryDisplay.Summarize(progress)));
    }

    [Theory]
    [InlineData(MailingState.Paused, "by the editor", "paused: by the editor; 1 answer is awaited")]
    [InlineData(MailingState.Paused, "The relay refuses us.", "paused: The relay refuses us; 1 answer is awaited")]
    [InlineData(MailingState.Cancelled, "by the editor", "cancelled; what was not sent stays unsent; 1 answer is awaited")]
    public void Of_one_that_is_held_its_state_is_told_and_no_end(MailingState state, string reason, string words)
    {
        var progress = new DeliveryProgress(Half, 0, null, null) { State = state, StateReason = reason };
        Assert.Equal("3 pending, 1 claimed, 1 sending, 1 deferred, 3 sent, 1 failed of 10; " + words, DeliveryDisplay.Describe(progress));
        Assert.Equal("1 deferred, 3 sent, 1 failed of 10; " + words, DeliveryDisplay.Summarize(progress));
        Assert.EndsWith("; 2 answers are awaited", DeliveryDisplay.Describe(progress with { Balance = Half with { Sending = 2, Claimed = 0 } }), StringComparison.Ordinal);
        Assert.DoesNotContain("await", DeliveryDisplay.Describe(progress with { Balance = Half with { Sending = 0, Pending = 4 } }), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "")]
    [InlineData(0.025, "1.5 a minute")]
    [InlineData(2.56, "2.6 a second")]
    [InlineData(2345.6, "2,346 a second")]
    public void A_pace_is_told_so_that_slow_ones_are_not_nothing(double perSecond, string words) => Assert.Equal(words, ProgressWords.Pace(perSecond));

    [Theory]
    [InlineData("00:00:00", "")]
    [InlineData("00:00:00.2", "about 1 second left")]
    [InlineData("00:00:59.4", "about 59 seconds left")]
    [InlineData("00:01:00.6", "about 61 seconds left, until 09:30 +00:00")]
    [InlineData("00:02:59.4", "about 179 seconds left, until 09:30 +00:00")]
    [InlineData("00:02:59.6", "about 3 minutes left, until 09:30 +00:00")]
    [InlineData("00:03:40", "about 4 minutes left, until 09:30 +00:00")]
    [InlineData("01:14:20", "about 74 minutes left, until 09:30 +00:00")]
    [InlineData("02:59:40", "about 3 hours left, until 09:30 +00:00")]
    [InlineData("1.09:10:00", "about 33 hours left, until 2 Mar 09:30 +00:00")]
    [InlineData("3.13:00:00", "about 4 days left, until 2 Mar 09:30 +00:00")]
    public void The_time_left_is_told_with_its_end(string remaining, string words)
        => Assert.Equal(words, ProgressWords.Left(TimeSpan.Parse(remaining, System.Globalization.CultureInfo.InvariantCulture), new DateTimeOffset(2026, 3, 2, 9, 30, 0, TimeSpan.Zero)));

    [Fact]
    public void A_balance_that_does_not_add_up_says_so()
    {
        Assert.Equal("10 = 3 pending + 1 claimed + 1 sending + 1 deferred + 3 sent + 1 failed + 0 suppressed + 0 uncertain", BalanceView.Sum(Half));
        Assert.EndsWith("DOES NOT ADD UP: this is an error in WeeklyDigest or in the database; please report it.", BalanceView.Sum(Half with { Total = 11 }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mailing_that_is_cancelled_is_told_at_once()
    {
        using var output = new StringWriter();
        await using var run = new CommandRun(new CommandHost { Out = output, Error = TextWriter.Null, Environment = new Dictionary<string, string>(), Directory = ".", Time = new ManualClock() }, false);
        await DeliveryDisplay.ShowAsync(run, "week-1", progress =>
        {
            progress.Report(new DeliveryProgress(Half, 2, TimeSpan.FromSeconds(3), null));
            progress.Report(new DeliveryProgress(Half, 2, TimeSpan.FromSeconds(2), null));
            progress.Report(new DeliveryProgress(Half, 0, null, null) { State = MailingState.Cancelled });
            return Task.FromResult(0);
        });
        Assert.Equal(["about 3 seconds left", "1 answer is awaited"], output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Trim().Split("; ")[^1]));
    }

    [Fact]
    public async Task Lines_go_on_every_few_seconds_when_the_clock_is_set_back()
    {
        var clock = new SetBackClock();
        using var output = new StringWriter();
        await using var run = new CommandRun(new CommandHost { Out = output, Error = TextWriter.Null, Environment = new Dictionary<string, string>(), Directory = ".", Time = clock }, false);
        await DeliveryDisplay.ShowAsync(run, "week-1", progress =>
        {
            Report(Half);
            clock.SetBack(TimeSpan.FromHours(1));
            clock.Pass(TimeSpan.FromSeconds(1));
            Report(Half with { Sent = 4, Pending = 2 });
            clock.Pass(TimeSpan.FromSeconds(4));
            Report(Half with { Sent = 5, Pending = 1 });
            return Task.FromResult(0);

            void Report(Balance balance) => progress.Report(new DeliveryProgress(balance, 0, null, null));
        });
        Assert.Equal(["3 sent", "5 sent"], output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(", ")[4]));
    }
}
