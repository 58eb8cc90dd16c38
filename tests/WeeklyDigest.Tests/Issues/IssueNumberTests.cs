using WeeklyDigest.Issues;

namespace WeeklyDigest.Tests.Issues;

public sealed class IssueNumberTests
{
    [Theory]
    [InlineData("week 1 - frogs", "x", 1)]
    [InlineData("Frogs | Week #12", "x", 12)]
    [InlineData("Issue 7: frogs", "x", 7)]
    [InlineData("No. 9", "x", 9)]
    [InlineData("#10 frogs", "x", 10)]
    [InlineData("The frog letter, week 3", "x", 3)]
    [InlineData("Frogs", "week-4", 4)]
    [InlineData("Frogs", "2020-09-21-issue_05", 5)]
    [InlineData("Frogs this week 5 ways", "week-6", 6)]
    [InlineData("Frogs", "frogs-2020", null)]
    [InlineData("Midweek 5", "x", null)]
    [InlineData("week 123456789012", "x", null)]
    [InlineData("Frogs", "", null)]
    public void Comes_from_the_title_or_the_file_name(string title, string fileName, int? number)
        => Assert.Equal(number, IssueNumber.Of(title.Split(" | "), fileName));
}
