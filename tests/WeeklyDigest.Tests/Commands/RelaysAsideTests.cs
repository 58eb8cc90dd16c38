using WeeklyDigest.Publishing;
using WeeklyDigest.Server;

namespace WeeklyDigest.Tests.Commands;

public sealed class RelaysAsideTests
{
    [Theory]
    [InlineData(RelayAsideKind.Aside, "relay 'main' is set aside since 2026-03-02 09:00:00 +01:00, until a mailing begins or is resumed, or the program starts again. 554 blocked.")]
    [InlineData(RelayAsideKind.Again, "relay 'main' is to be tried again since 2026-03-02 09:00:00 +01:00, and has had nothing to send yet. It was set aside: 554 blocked.")]
    [InlineData(RelayAsideKind.Down, "relay 'main' has answered nothing since 2026-03-02 09:00:00 +01:00, as often as it was tried. 554 blocked.")]
    public void Each_kind_has_its_words(RelayAsideKind kind, string words)
        => Assert.Equal(words, RelaysAside.Describe(new RelayAside("main", kind, "554 blocked.", new DateTimeOffset(2026, 3, 2, 9, 0, 0, TimeSpan.FromHours(1)))));
}
