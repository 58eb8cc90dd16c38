using WeeklyDigest.Deliveries;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>A domain with a limit, in lists that are sorted by domain: it gets its due, and so do the others.</summary>
public sealed class LimitedDomainTests
{
    [Fact]
    public async Task Gets_its_due_beside_a_long_block_of_others()
    {
        const int Limited = 60;
        const int Others = 1200;
        await using var place = Open(new DomainOptions { Name = "limited.example", MessagesPerSecond = 20 });
        var mailing = await place.PublishAsync(Limited + Others, address: i => i <= Limited ? $"r{i}@limited.example" : $"r{i}@other.example");
        var held = 0L;
        place.Around = ledger => WaitingClaims.Over(ledger, async () => held = Math.Max(held, (await place.BalanceAsync(mailing)).Claimed));
        Assert.Equal(Limited + Others, (await place.Start().RunAsync(mailing)).Balance.Sent);

        // Three seconds are enough for them; the others take six.
        Assert.InRange(Order(place).FindLastIndex(IsLimited), Limited, Limited + Others - 250);
        Assert.InRange(held, 1, 500);
    }

    [Fact]
    public async Task Does_not_keep_the_others_from_being_claimed_with_what_waits_for_it()
    {
        const int Each = 400;
        await using var place = Open(new DomainOptions { Name = "limited.example", MessagesPerSecond = 100 });
        var mailing = await place.PublishAsync(2 * Each, address: i => i <= Each ? $"r{i}@limited.example" : $"r{i}@other.example");
        Assert.Equal(2 * Each, (await place.Start().RunAsync(mailing)).Balance.Sent);

        // Half of what the relay can take is the limit of the one; the other half is for the others.
        var half = Order(place).Take(Each).ToList();
        Assert.InRange(half.Count(IsLimited), Each / 4, 3 * Each / 4);
    }

    [Fact]
    public async Task Is_not_forgotten_while_it_waits_for_the_clock_among_very_many_small_ones()
    {
        const int Limited = 5;
        await using var place = Open(new DomainOptions { Name = "limited.example", MessagesPerMinute = 60 });
        var mailing = await place.PublishAsync(900, address: i => i <= Limited ? $"r{i}@limited.example" : $"r{i}@other{i}.example");
        Assert.Equal(900, (await place.Start().RunAsync(mailing)).Balance.Sent);

        // The others take four and a half seconds.
        Assert.InRange(Order(place).Take(850).Count(IsLimited), 3, Limited);
    }

    [Fact]
    public async Task Is_not_left_behind_by_a_long_block_of_another_with_a_limit()
    {
        const int Limited = 120;
        const int Block = 12_000;
        await using var place = Open(new DomainOptions { Name = "limited.example", MessagesPerSecond = 20 }, new DomainOptions { Name = "block.example", MessagesPerMinute = 60 });
        var mailing = await place.PublishAsync(Limited + Block + 3000, address: i => i <= Limited ? $"r{i}@limited.example" : $"r{i}@{(i <= Limited + Block ? "block" : "other")}.example");
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        place.Around = ledger => WaitingClaims.Over(ledger, () =>
        {
            // Ten seconds or more.
            var others = Order(place).Count(domain => domain == "other.example");
            return others > 2000 ? enough.CancelAsync() : Task.CompletedTask;
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => place.Start().RunUntilAsync(mailing, enough.Token));
        var order = Order(place);
        Assert.Equal(Limited, order.Count(IsLimited));
        Assert.InRange(order.Count(domain => domain == "block.example"), 5, 60);
    }

    [Fact]
    public async Task Many_with_limits_that_the_relay_cannot_fill_leave_the_others_their_turn()
    {
        const int Domains = 20;
        const int Each = 80;
        await using var place = Open([.. Enumerable.Range(0, Domains).Select(number => new DomainOptions { Name = $"limited{number}.example", MessagesPerSecond = 50 })]);
        var mailing = await place.PublishAsync((Domains * Each) + 200, address: i => $"r{i}@{(i <= Domains * Each ? $"limited{(i - 1) / Each}" : "other")}.example");
        Assert.Equal(Domains * Each + 200, (await place.Start().RunAsync(mailing)).Balance.Sent);

        // One in twenty-one is their share.
        Assert.InRange(Order(place).Skip(400).Take(800).Count(domain => domain == "other.example"), 20, 200);
    }

    [Fact]
    public async Task A_slow_relay_holds_no_more_of_them_than_it_can_send()
    {
        const int Domains = 10;
        const int Each = 60;
        await using var place = Open(TimeSpan.FromMilliseconds(300), [.. Enumerable.Range(0, Domains).Select(number => new DomainOptions { Name = $"limited{number}.example", MessagesPerSecond = 10 })]);
        var mailing = await place.PublishAsync((Domains * Each) + 400, address: i => $"r{i}@{(i <= Domains * Each ? $"limited{(i - 1) / Each}" : "other")}.example");
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var held = 0L;
        place.Around = ledger => WaitingClaims.Over(ledger, async () =>
        {
            held = Math.Max(held, (await place.BalanceAsync(mailing)).Claimed);
            if (place.Server.AcceptedCount > 50) await enough.CancelAsync();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => place.Start().RunUntilAsync(mailing, enough.Token));
        Assert.InRange(held, 8, 90);
    }

    [Fact]
    public async Task Goes_on_beside_another_that_has_much_ready_and_hangs()
    {
        const int Limited = 60;
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var begun = 0;
        SmtpMove Script(SmtpMoment moment) => moment.Stage != SmtpStage.Message ? SmtpMove.Accept
            : moment.Recipient.EndsWith("@block.example", StringComparison.Ordinal) && Interlocked.Increment(ref begun) > 600 ? SmtpMove.Hold(answer.Task, SmtpMove.Accept)
            : SmtpMove.Hold(Task.Delay(TimeSpan.FromMilliseconds(4), TimeProvider.System), SmtpMove.Accept);
        DomainOptions[] domains = [new DomainOptions { Name = "block.example", Connections = 2 }, new DomainOptions { Name = "limited.example", MessagesPerSecond = 10 }];
        await using var place = EnginePlace.Open(Script, new DeliveryOptions { Domains = domains });
        var mailing = await place.PublishAsync(6000, address: i => $"r{i}@{(i is > 3000 and <= 3000 + Limited ? "limited" : "block")}.example");
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var running = place.Start().RunUntilAsync(mailing, enough.Token);
        await place.Server.WaitForAsync(server => server.Accepted.Count(message => message.Recipient.EndsWith("@limited.example", StringComparison.Ordinal)) == Limited, TimeSpan.FromSeconds(30), "all of the limited one");
        await enough.CancelAsync();
        answer.SetResult();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    /// <summary>A relay that takes 200 a second at most: each of four connections waits twenty milliseconds for an answer.</summary>
    private static EnginePlace Open(params DomainOptions[] domains) => Open(TimeSpan.FromMilliseconds(20), domains);

    private static EnginePlace Open(TimeSpan answer, DomainOptions[] domains)
        => EnginePlace.Open(moment => moment.Stage == SmtpStage.Message ? SmtpMove.Hold(Task.Delay(answer, TimeProvider.System), SmtpMove.Accept) : SmtpMove.Accept, new DeliveryOptions { Domains = domains });

    private static List<string> Order(EnginePlace place) => [.. place.Server.Accepted.Select(message => message.Recipient[(message.Recipient.IndexOf('@') + 1)..])];

    private static bool IsLimited(string domain) => domain == "limited.example";
}
