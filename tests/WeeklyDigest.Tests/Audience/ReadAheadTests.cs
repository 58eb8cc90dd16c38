using WeeklyDigest.Audience;

namespace WeeklyDigest.Tests.Audience;

public sealed class ReadAheadTests
{
    [Fact]
    public void Gives_the_same_items_in_the_same_order()
        => Assert.Equal(Enumerable.Range(0, 12_345), ReadAhead.Of(Enumerable.Range(0, 12_345)));

    [Fact]
    public void What_reading_throws_comes_through()
    {
        static IEnumerable<int> Broken()
        {
            foreach (var i in Enumerable.Range(0, 1200)) yield return i;
            throw new FormatException("line 1201");
        }

        var seen = 0;
        var failure = Assert.Throws<FormatException>(() =>
        {
            foreach (var item in ReadAhead.Of(Broken())) Assert.Equal(seen++, item);
        });
        Assert.Equal("line 1201", failure.Message);
        Assert.Equal(1000, seen);
    }

    [Fact]
    public void Stays_a_little_ahead_only_and_reads_nothing_more_when_its_user_stops()
    {
        var read = 0;
        IEnumerable<int> Endless()
        {
            while (true) yield return Interlocked.Increment(ref read);
        }

        Assert.Equal(700, ReadAhead.Of(Endless()).Take(700).Count());
        var after = Volatile.Read(ref read);
        Assert.InRange(after, 700, 700 + (11 * 500));
        Thread.Yield();
        Assert.Equal(after, Volatile.Read(ref read));
    }
}
