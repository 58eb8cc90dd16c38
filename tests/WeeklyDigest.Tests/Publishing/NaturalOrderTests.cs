using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Publishing;

public sealed class NaturalOrderTests
{
    [Theory]
    [InlineData("week-2", "week-10")]
    [InlineData("week-2", "week-2a")]
    [InlineData("week", "week-1")]
    [InlineData("2020-09-21", "2020-10-05")]
    [InlineData("A-1", "a-2")]
    [InlineData("9", "99999999999999999999999999999999")]
    [InlineData("", "a")]
    [InlineData("7", "a")]
    public void Puts_the_first_before_the_second(string first, string second)
    {
        Assert.True(NaturalOrder.Instance.Compare(first, second) < 0);
        Assert.True(NaturalOrder.Instance.Compare(second, first) > 0);
    }

    [Fact]
    public void Does_not_tell_leading_zeros_and_case_apart() => Assert.Equal(0, NaturalOrder.Instance.Compare("Week-007", "week-7"));
}
