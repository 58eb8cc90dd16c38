using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Publishing;

public sealed class AwaitedAnswersTests
{
    private int gaveWay;

    [Fact]
    public void Nobody_gives_way_before_a_few_wait()
    {
        var awaited = new AwaitedAnswers(() => gaveWay++);
        for (var i = 0; i < AwaitedAnswers.Few; i++) awaited.Add(givesWay: true);
        Assert.Equal(0, gaveWay);
    }

    [Fact]
    public void Where_no_answer_comes_the_next_leaves_after_a_moment_all_the_same()
    {
        var awaited = new AwaitedAnswers(() => gaveWay++);
        for (var i = 0; i < AwaitedAnswers.Few; i++) awaited.Add(givesWay: true);
        awaited.Add(givesWay: false);
        Assert.Equal(0, gaveWay);
        awaited.Add(givesWay: true);
        Assert.Equal(AwaitedAnswers.Patience, gaveWay);
    }

    [Fact]
    public void Those_that_a_slow_relay_does_not_answer_hold_nobody_up_again()
    {
        var awaited = new AwaitedAnswers(() => gaveWay++);
        for (var i = 0; i < AwaitedAnswers.Few + 1; i++) awaited.Add(givesWay: true);
        Assert.Equal(AwaitedAnswers.Patience, gaveWay);
        for (var i = 0; i < 100; i++)
        {
            awaited.Add(givesWay: true);
            awaited.Remove();
        }
        Assert.Equal(AwaitedAnswers.Patience, gaveWay);

        for (var i = 0; i <= AwaitedAnswers.Few; i++) awaited.Remove();
        for (var i = 0; i < AwaitedAnswers.Few + 1; i++) awaited.Add(givesWay: true);
        Assert.Equal(2 * AwaitedAnswers.Patience, gaveWay);
    }

    [Fact]
    public void The_next_leaves_as_soon_as_an_answer_was_noted()
    {
        AwaitedAnswers? awaited = null;
        awaited = new AwaitedAnswers(() =>
        {
            if (++gaveWay == 2) awaited!.Remove();
        });
        for (var i = 0; i < AwaitedAnswers.Few + 1; i++) awaited.Add(givesWay: true);
        Assert.Equal(2, gaveWay);
    }
}
