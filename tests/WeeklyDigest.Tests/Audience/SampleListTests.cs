using WeeklyDigest.Audience;

namespace WeeklyDigest.Tests.Audience;

public sealed class SampleListTests
{
    [Fact]
    public void The_sample_list_that_is_shipped_has_no_problem_and_mails_nobody_real()
    {
        using var file = File.OpenRead(Path.Combine(Workspace.RepositoryRoot, "subscribers", "sample.csv"));
        var rows = SubscriberCsv.Read(file, problem => Assert.Fail($"line {problem.Line}: {problem.Message}")).ToList();

        Assert.Equal(12, rows.Count);
        Assert.All(rows, row => Assert.Matches(@"(^|\.)example\.(com|net|org)$", row.Address.AsciiDomain));
        Assert.Contains(rows, row => row.Address.AsciiDomain.StartsWith("xn--", StringComparison.Ordinal));
        Assert.Contains(rows, row => row.Name is null);
        Assert.Contains(rows, row => row.Name == "Ionescu, Bogdan");
    }
}
