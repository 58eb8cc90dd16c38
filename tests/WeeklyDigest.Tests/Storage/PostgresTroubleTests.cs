using Npgsql;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;
using WeeklyDigest.Storage.Postgres;

namespace WeeklyDigest.Tests.Storage;

public sealed class PostgresTroubleTests
{
    [Theory]
    // On a full disk, to who connects first.
    [InlineData("could not write init file", "FATAL", "XX000", false)]
    [InlineData("invalid page in block 3", "ERROR", "XX001", true)]
    [InlineData("could not extend file", "ERROR", "53100", false)]
    [InlineData("column does not exist", "ERROR", "42703", true)]
    public void What_ends_a_connection_passes_and_what_refuses_a_statement_for_good_lasts(string words, string severity, string code, bool isLasting)
        => Assert.Equal(isLasting, PostgresTrouble.Explain(new PostgresException(words, severity, severity, code), new WeeklyDigest.Storage.Postgres.PostgresPlace("digest", "db:5432", "digest")).IsLasting);

    [Fact]
    public void Words_without_an_end_get_one()
    {
        var trouble = PostgresTrouble.Explain(new PostgresException("canceling statement due to statement timeout", "ERROR", "ERROR", "57014"), new WeeklyDigest.Storage.Postgres.PostgresPlace("digest", "db:5432", "digest"));
        Assert.Equal("The database digest on db:5432 refused: canceling statement due to statement timeout (57014).", trouble.Message);
        Assert.Equal("The ledger cannot be used: x. Nothing is sent until it can.", Unusable("x"));
        Assert.Equal("The ledger cannot be used: x? Nothing is sent until it can.", Unusable("x?"));
        Assert.Equal("The ledger cannot be used: Stop it. Nothing is sent until then.", Unusable("Stop it.", needsRestart: true));
        Assert.Equal("The figures may be old, for the deliveries could not be counted: x.", RunWatch.Uncounted(new LedgerTrouble("x", DateTimeOffset.UnixEpoch)));
    }

    [Theory]
    [InlineData("FEHLER", "ERROR", true)]
    [InlineData("ERROR", "ERROR", true)]
    [InlineData("FATAL", "FATAL", false)]
    [InlineData("PANIK", "PANIC", false)]
    public void A_server_of_any_language_that_refuses_and_goes_on_has_kept_nothing(string shown, string severity, bool isRefusal)
        => Assert.Equal(isRefusal, PostgresTrouble.IsRefusal(new PostgresException("not today", shown, severity, "P0001")));

    private static string Unusable(string words, bool needsRestart = false) => RunWatch.Unusable(new LedgerTrouble(words, DateTimeOffset.UnixEpoch, needsRestart));
}
