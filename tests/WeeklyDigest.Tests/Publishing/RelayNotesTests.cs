using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>Two machines with the same relay: what one has met is not undone by the other, to which it works.</summary>
public sealed class RelayNotesTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_machine_whose_relay_works_leaves_what_another_one_notes()
    {
        await using var pair = new Pair();
        pair.First.Relays[0].SetAside("The login was refused.");
        await pair.FirstNotes.UpdateAsync(Cancel);
        await pair.SecondNotes.UpdateAsync(Cancel);
        pair.Second.Relays[0].Answered();
        await pair.SecondNotes.UpdateAsync(Cancel);
        Assert.Equal((RelayAsideKind.Aside, "On first: The login was refused."), await pair.NotedAsync());

        pair.First.Relays[0].TakeBack();
        await pair.FirstNotes.UpdateAsync(Cancel);
        Assert.Equal(RelayAsideKind.Again, (await pair.NotedAsync()).Kind);
        pair.First.Relays[0].Answered();
        await pair.FirstNotes.UpdateAsync(Cancel);
        Assert.Empty(await pair.Store.AsideAsync(Cancel));
    }

    [Fact]
    public async Task What_another_machine_wrote_over_is_noted_again_within_a_minute()
    {
        await using var pair = new Pair();
        pair.First.Relays[0].SetAside("The login was refused.");
        await pair.FirstNotes.UpdateAsync(Cancel);
        pair.Second.Relays[0].SetAside("The certificate is of another host.");
        await pair.SecondNotes.UpdateAsync(Cancel);
        pair.Second.Relays[0].TakeBack();
        pair.Second.Relays[0].Answered();
        await pair.SecondNotes.UpdateAsync(Cancel);
        Assert.Empty(await pair.Store.AsideAsync(Cancel));

        pair.Clock.Advance(TimeSpan.FromMinutes(1));
        await pair.FirstNotes.UpdateAsync(Cancel);
        Assert.Equal((RelayAsideKind.Aside, "On first: The login was refused."), await pair.NotedAsync());
    }

    [Fact]
    public async Task What_a_machine_noted_that_is_gone_for_good_ends_after_an_hour_where_the_relay_works()
    {
        await using var pair = new Pair();
        pair.First.Relays[0].SetAside("The login was refused.");
        await pair.FirstNotes.UpdateAsync(Cancel);
        pair.Second.Relays[0].Answered();
        pair.Clock.Advance(TimeSpan.FromMinutes(59));
        await pair.SecondNotes.UpdateAsync(Cancel);
        Assert.NotEmpty(await pair.Store.AsideAsync(Cancel));
        pair.Clock.Advance(TimeSpan.FromMinutes(2));
        await pair.SecondNotes.UpdateAsync(Cancel);
        Assert.Empty(await pair.Store.AsideAsync(Cancel));
    }

    [Fact]
    public async Task A_relay_that_is_down_for_one_machine_for_hours_stays_noted_although_it_works_for_another()
    {
        await using var pair = new Pair();
        pair.First.Relays[0].Answered();
        foreach (var seconds in (int[])[1, 2, 4])
        {
            pair.First.Relays[0].Failed("Relay 'one' cannot be reached.");
            pair.Clock.Advance(TimeSpan.FromSeconds(seconds));
        }
        pair.Second.Relays[0].Answered();
        var missing = 0;
        for (var half = 0; half < 360; half++)
        {
            await pair.FirstNotes.UpdateAsync(Cancel);
            await pair.SecondNotes.UpdateAsync(Cancel);
            if ((await pair.Store.AsideAsync(Cancel)).Count == 0) missing++;
            pair.Clock.Advance(TimeSpan.FromSeconds(30));
        }
        Assert.InRange(missing, 0, 9);
    }

    private sealed class Pair : IAsyncDisposable
    {
        private readonly EnginePlace place = EnginePlace.Open();

        public Pair()
        {
            (First, Second) = (Pool(), Pool());
            (FirstNotes, SecondNotes) = (new RelayNotes(First, Store, Clock, "first"), new RelayNotes(Second, Store, Clock, "second"));

            SessionPool Pool() => new([EnginePlace.Relay("one", place.Server)], Store, Clock);
        }

        public ManualClock Clock { get; } = new();

        public IRelayStore Store => place.Database.Relays;

        public SessionPool First { get; }

        public SessionPool Second { get; }

        public RelayNotes FirstNotes { get; }

        public RelayNotes SecondNotes { get; }

        public async Task<(RelayAsideKind Kind, string Reason)> NotedAsync() => (await Store.AsideAsync(Cancel)).Select(note => (note.Kind, note.Reason)).Single();

        public async ValueTask DisposeAsync()
        {
            await First.DisposeAsync();
            await Second.DisposeAsync();
            await place.DisposeAsync();
        }
    }
}
