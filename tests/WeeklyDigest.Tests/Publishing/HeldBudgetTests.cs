using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>How much a run may hold of domains that are held back.</summary>
public sealed class HeldBudgetTests
{
    private readonly ManualClock clock = new();
    private readonly HeldBudget budget;

    public HeldBudgetTests() => budget = new HeldBudget(clock);

    [Fact]
    public void Some_for_each_connection_at_least_and_what_two_seconds_take()
    {
        Assert.Equal((4, 64), (budget.Of(1), budget.Of(16)));
        Assert.Equal(200, After(TimeSpan.FromSeconds(1), sent: 100));
        Assert.Equal(200, After(TimeSpan.FromSeconds(0.5), sent: 500));
        Assert.Equal(1000, After(TimeSpan.FromSeconds(0.5), sent: 0));
        Assert.Equal(HeldBudget.Most, After(TimeSpan.FromSeconds(1), sent: 5000));
        Assert.Equal(64, After(TimeSpan.FromSeconds(30), sent: 10));
    }

    private int After(TimeSpan time, int sent)
    {
        for (var i = 0; i < sent; i++) budget.Count();
        clock.Advance(time);
        return budget.Of(16);
    }
}
