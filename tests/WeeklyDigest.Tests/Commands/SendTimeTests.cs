using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Commands;

namespace WeeklyDigest.Tests.Commands;

public sealed class SendTimeTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 5, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeZoneInfo Berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");

    [Theory]
    [InlineData("2026-03-02T09:00", "2026-03-02T08:00:00Z")]
    [InlineData("2026-07-02 09:00:30", "2026-07-02T07:00:30Z")]
    [InlineData("2026-03-02T09:00+05:30", "2026-03-02T03:30:00Z")]
    [InlineData("2026-03-02T09:00:00Z", "2026-03-02T09:00:00Z")]
    [InlineData("2126-01-05T13:00", "2126-01-05T12:00:00Z")]
    [InlineData("2026-10-25T02:30", "2026-10-25T00:30:00Z")]
    public void Reads_local_time_and_time_with_an_offset(string text, string expected)
        => Assert.Equal(DateTimeOffset.Parse(expected, null), SendTime.Parse(text, Berlin, Now));

    [Theory]
    [InlineData("tomorrow", "'tomorrow' is no time; write one such as 2026-03-02T09:00 (in Europe/Berlin) or 2026-03-02T09:00+01:00.")]
    [InlineData("02/03/2026 09:00", "'02/03/2026 09:00' is no time; write one such as 2026-03-02T09:00 (in Europe/Berlin) or 2026-03-02T09:00+01:00.")]
    [InlineData("0001-01-01T00:30", "'0001-01-01T00:30' is no time; write one such as 2026-03-02T09:00 (in Europe/Berlin) or 2026-03-02T09:00+01:00.")]
    [InlineData("20266-03-02T09:00", "'20266-03-02T09:00' is no time; write one such as 2026-03-02T09:00 (in Europe/Berlin) or 2026-03-02T09:00+01:00.")]
    [InlineData("2126-01-05T13:01", "2126-01-05T13:01 is more than 100 years ahead of now, 2026-01-05 12:00 UTC. Is its year right, and the clock here? Write a time until 2126-01-05.")]
    [InlineData("9999-03-02T09:00Z", "9999-03-02T09:00Z is more than 100 years ahead of now, 2026-01-05 12:00 UTC. Is its year right, and the clock here? Write a time until 2126-01-05.")]
    [InlineData("2026-03-29T02:30", "2026-03-29T02:30 does not exist in Europe/Berlin: the clocks go forward over it; choose an hour later, or write the offset.")]
    public void Refuses_what_is_no_time(string text, string expected)
    {
        var refusal = Assert.Throws<RefusedException>(() => SendTime.Parse(text, Berlin, Now));
        Assert.Equal((expected, true), (refusal.Message, refusal.IsUsage));
    }
}
