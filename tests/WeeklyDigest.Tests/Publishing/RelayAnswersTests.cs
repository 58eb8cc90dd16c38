using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Commands.Doctor;

namespace WeeklyDigest.Tests.Publishing;

public sealed class RelayAnswersTests
{
    private readonly SetBackClock clock = new();
    private readonly RelayAnswers answers;

    public RelayAnswersTests() => answers = new RelayAnswers(clock);

    [Fact]
    public void Nothing_is_older_than_what_a_relay_never_did()
        => Assert.Equal(new RelayStanding("one") { AcceptedAt = DateTimeOffset.UnixEpoch, AnsweredAt = DateTimeOffset.UnixEpoch, Newest = DateTimeOffset.MaxValue }, answers.Standing("one"));

    [Fact]
    public void Times_are_those_of_the_clock_as_it_is()
    {
        var begin = clock.GetUtcNow();
        answers.Note(SendResult.Accepted, begin);
        clock.Pass(TimeSpan.FromSeconds(5));
        answers.Note(SendResult.Deferred, clock.GetUtcNow());
        clock.Pass(TimeSpan.FromSeconds(5));
        Assert.Equal(new RelayStanding("one") { AcceptedAt = begin, AnsweredAt = begin.AddSeconds(5), Newest = begin.AddSeconds(10).Add(RelayAnswers.Tolerance) }, answers.Standing("one"));

        // What it refused since the clock was set back is no older than a message before; what it refused before that may be newer than the message.
        clock.SetBack(TimeSpan.FromDays(1));
        var yesterday = begin.AddDays(-1);
        Assert.Equal(new RelayStanding("one") { AcceptedAt = yesterday, AnsweredAt = yesterday.AddSeconds(5), Newest = DateTimeOffset.MaxValue }, answers.Standing("one"));

        answers.Note(SendResult.Accepted, clock.GetUtcNow());
        Assert.Equal(new RelayStanding("one") { AcceptedAt = yesterday.AddSeconds(10), AnsweredAt = yesterday.AddSeconds(10), Newest = yesterday.AddSeconds(10).Add(RelayAnswers.Tolerance) }, answers.Standing("one"));
    }

    [Fact]
    public void What_another_node_has_just_noted_whose_clock_is_ahead_is_no_older_than_a_message()
    {
        answers.Note(SendResult.Accepted, clock.GetUtcNow());
        // One clock is late, the other early, and neither is said to be wrong.
        Assert.True(answers.Standing("one").Newest > clock.GetUtcNow() + (2 * ClockCheck.Tolerance) + TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void A_row_that_was_too_long_ends_with_a_message_also_when_the_clock_was_set_back()
    {
        answers.Note(SendResult.Accepted, clock.GetUtcNow());
        clock.Pass(TimeSpan.FromSeconds(1));
        answers.Discredit();
        clock.SetBack(TimeSpan.FromDays(1));
        answers.Note(SendResult.Deferred, clock.GetUtcNow());
        Assert.True(answers.IsDiscredited);
        clock.Pass(TimeSpan.FromSeconds(1));
        answers.Note(SendResult.Accepted, clock.GetUtcNow());
        Assert.False(answers.IsDiscredited);
        answers.Discredit();
        answers.Settle();
        Assert.False(answers.IsDiscredited);
    }
}
