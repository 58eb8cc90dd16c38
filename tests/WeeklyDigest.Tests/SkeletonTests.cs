namespace WeeklyDigest.Tests;

public sealed class SkeletonTests
{
    [Fact]
    public void Builds() => Assert.Equal("weeklydigest", System.Reflection.Assembly.Load("weeklydigest").GetName().Name);
}
