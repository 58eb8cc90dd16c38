using Microsoft.Extensions.Time.Testing;
using WeeklyDigest.Audience;
using WeeklyDigest.Publishing;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Tests.Storage;

/// <summary>What an older version left in a database means the same to this one.</summary>
public abstract class MigrationSuite<TPlace> : IDisposable where TPlace : IDatabasePlace, new()
{
    private readonly TPlace place = new();

    public void Dispose()
    {
        place.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Relays_in_trouble_stay_so_when_it_no_longer_stands_in_the_reason()
    {
        MakeAsOf("0008-relay-doubt");
        place.Execute("""
            INSERT INTO relay_aside (relay, reason, at) VALUES
                ('again', 'To be tried again; it was set aside: 535 5.7.8 wrong password', 1),
                ('again, down', 'To be tried again; it was set aside: It answers nothing: ü', 2),
                ('aside', 'Relay ''aside'': 554 5.7.1 blocked. It answers nothing: no', 3),
                ('down', 'It answers nothing: Relay ''down'' cannot be reached: Connection refused.', 4),
                ('in other letters', 'it answers nothing: no', 5)
            """);
        using var database = Database.Open(place.Options, new FakeTimeProvider());
        Assert.Equal(
            [
                new RelayAside("again", RelayAsideKind.Again, "535 5.7.8 wrong password", At(1)),
                new RelayAside("again, down", RelayAsideKind.Again, "It answers nothing: ü", At(2)),
                new RelayAside("aside", RelayAsideKind.Aside, "Relay 'aside': 554 5.7.1 blocked. It answers nothing: no", At(3)),
                new RelayAside("down", RelayAsideKind.Down, "Relay 'down' cannot be reached: Connection refused.", At(4)),
                new RelayAside("in other letters", RelayAsideKind.Aside, "it answers nothing: no", At(5)),
            ],
            await database.Relays.AsideAsync(TestContext.Current.CancellationToken));

        static DateTimeOffset At(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
    }

    [Fact]
    public async Task A_database_that_was_moved_here_gives_new_rows_new_numbers()
    {
        MakeAsOf("0009-relay-aside-kind");
        // As the move wrote them: with their numbers.
        place.Execute("""
            INSERT INTO list (id, name, created_at) VALUES (1, 'readers', 0);
            INSERT INTO domain (id, name) VALUES (1, 'one.example'), (2, 'two.example')
            """);
        using var database = Database.Open(place.Options, new FakeTimeProvider());
        foreach (var domain in (string[])["three.example", "four.example"])
        {
            Assert.True(EmailAddress.TryParse("ann@" + domain, out var address) & ListName.TryParse("guests", out var list));
            Assert.Equal(AddOutcome.Added, (await database.Subscribers.AddAsync(list!, address!, null, new Dictionary<string, string>(), TestContext.Current.CancellationToken)).Outcome);
        }
    }

    // The database as the version made it that had this migration as its last.
    private void MakeAsOf(string last)
    {
        var isPostgres = place.Options.Provider == "postgres";
        // A place there is a copy of a database that has it all.
        if (isPostgres) place.Execute("DROP SCHEMA weeklydigest CASCADE; CREATE SCHEMA weeklydigest");
        place.Execute("CREATE TABLE schema_version (scriptname varchar(255) NOT NULL PRIMARY KEY, applied timestamp NOT NULL)");
        foreach (var (name, text) in Embedded.Migrations(isPostgres ? "Postgres" : "Sqlite").TakeWhile(script => string.CompareOrdinal(script.Name, last) <= 0))
        {
            place.Execute(text);
            place.Execute($"INSERT INTO schema_version VALUES ('{name}', '2026-01-01')");
        }
    }
}
