using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Publishing;

public sealed class RunStopTests
{
    private readonly ManualClock clock = new();

    [Fact]
    public void Of_the_ten_seconds_that_the_end_of_the_program_may_take_an_answer_gets_most()
    {
        using var stop = new RunStop(clock);
        stop.RequestDrain();
        clock.Advance(TimeSpan.FromSeconds(7.4));
        Assert.False(stop.AnswerToken.IsCancellationRequested);
        clock.Advance(TimeSpan.FromSeconds(0.2));
        Assert.True(stop.AnswerToken.IsCancellationRequested);
        Assert.False(stop.RecordToken.IsCancellationRequested);
        clock.Advance(TimeSpan.FromSeconds(0.5));
        Assert.True(stop.RecordToken.IsCancellationRequested);
    }

    [Fact]
    public void Who_only_stops_takes_the_time_that_is_needed()
    {
        using var stop = new RunStop(clock);
        stop.Request();
        clock.Advance(TimeSpan.FromMinutes(20));
        Assert.False(stop.AnswerToken.IsCancellationRequested);
        Assert.False(stop.RecordToken.IsCancellationRequested);
    }
}
