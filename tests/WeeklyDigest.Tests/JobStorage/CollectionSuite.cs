using Hangfire.Storage;

namespace WeeklyDigest.Tests.JobStorage;

/// <summary>Sets, hashes, lists and counters.</summary>
public abstract class CollectionSuite<TPlace> : JobStorageSuite<TPlace> where TPlace : IJobStoragePlace, new()
{
    [Fact]
    public void A_set_has_each_value_once_in_the_order_of_the_scores()
    {
        Commit(transaction =>
        {
            transaction.AddToSet("s", "late", 30.5);
            transaction.AddToSet("s", "early", -1);
            transaction.AddToSet("s", "middle", 2);
            transaction.AddToSet("s", "none");
            transaction.AddToSet("s", "late", 40);
            transaction.AddToSet("other", "x");
        });
        Assert.Equal(["early", "late", "middle", "none"], Connection.GetAllItemsFromSet("s").Order(StringComparer.Ordinal));
        string[] ordered = Does(JobStorageHabit.OrdersRangesByScore) ? ["early", "none", "middle", "late"] : ["late", "early", "middle", "none"];
        Assert.Equal(ordered, Connection.GetRangeFromSet("s", 0, 10));
        Assert.Equal(ordered[1..3], Connection.GetRangeFromSet("s", 1, 2));
        Assert.Empty(Connection.GetRangeFromSet("s", 4, 9));
        Assert.Equal(4, Connection.GetSetCount("s"));
        Assert.Empty(Connection.GetAllItemsFromSet("nothing"));
        Assert.Equal(0, Connection.GetSetCount("nothing"));
    }

    [Fact]
    public void The_lowest_scores_are_found_within_bounds()
    {
        if (!Has(JobStorageFeatures.Connection.BatchedGetFirstByLowest)) return;
        Commit(transaction =>
        {
            foreach (var score in new[] { 5, 1, 3, 2, 4 }) transaction.AddToSet("s", "v" + score, score);
        });
        Assert.Equal("v2", Connection.GetFirstByLowestScoreFromSet("s", 2, 4));
        Assert.Null(Connection.GetFirstByLowestScoreFromSet("s", 6, 9));
        Assert.Equal(["v1", "v2", "v3"], Connection.GetFirstByLowestScoreFromSet("s", 0, 10, 3));
        Assert.Equal(["v4", "v5"], Connection.GetFirstByLowestScoreFromSet("s", 4, 10, 100));
        Assert.Empty(Connection.GetFirstByLowestScoreFromSet("s", 6, 9, 3));
        Assert.Throws<ArgumentException>(() => Connection.GetFirstByLowestScoreFromSet("s", 2, 1));
        Assert.Throws<ArgumentException>(() => Connection.GetFirstByLowestScoreFromSet("s", 2, 1, 3));
        Assert.Throws<ArgumentNullException>(() => Connection.GetFirstByLowestScoreFromSet(null!, 0, 0, 1));
        Assert.Throws<ArgumentException>(() => Connection.GetFirstByLowestScoreFromSet("s", 0, 1, 0));
    }

    [Fact]
    public void A_set_is_asked_for_a_value()
    {
        if (!Has(JobStorageFeatures.Connection.GetSetContains)) return;
        Commit(transaction => transaction.AddRangeToSet("s", ["a", "b", "a"]));
        Assert.Equal((true, false, false), (Connection.GetSetContains("s", "a"), Connection.GetSetContains("s", "c"), Connection.GetSetContains("t", "a")));
        Assert.Equal(2, Connection.GetSetCount("s"));
    }

    [Fact]
    public void Several_sets_are_counted_up_to_a_limit()
    {
        if (!Has(JobStorageFeatures.Connection.LimitedGetSetCount)) return;
        Commit(transaction =>
        {
            transaction.AddRangeToSet("s", ["a", "b", "c"]);
            transaction.AddRangeToSet("t", ["d", "e"]);
        });
        Assert.Equal(5, Connection.GetSetCount(["s", "t", "u"], 100));
        Assert.Equal(4, Connection.GetSetCount(["s", "t", "u"], 4));
        Assert.Equal(0, Connection.GetSetCount(["s"], 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Connection.GetSetCount(["s"], -1));
    }

    [Fact]
    public void Values_and_whole_sets_are_removed()
    {
        Commit(transaction => transaction.AddRangeToSet("s", ["a", "b"]));
        Commit(transaction => transaction.RemoveFromSet("s", "a"));
        Assert.Equal(["b"], Connection.GetAllItemsFromSet("s"));
        Commit(transaction => transaction.RemoveSet("s"));
        Assert.Empty(Connection.GetAllItemsFromSet("s"));
    }

    [Fact]
    public void A_hash_has_fields_that_are_set_and_set_again()
    {
        Assert.Null(Connection.GetAllEntriesFromHash("h"));
        Assert.Null(Connection.GetValueFromHash("h", "a"));
        Connection.SetRangeInHash("h", new Dictionary<string, string> { ["a"] = "1", ["b"] = "2", ["empty"] = "" });
        Commit(transaction => transaction.SetRangeInHash("h", new Dictionary<string, string> { ["b"] = "3", ["none"] = null! }));
        Assert.Equal(new Dictionary<string, string> { ["a"] = "1", ["b"] = "3", ["empty"] = "", ["none"] = null! }, Connection.GetAllEntriesFromHash("h"));
        Assert.Equal(("1", "", null), (Connection.GetValueFromHash("h", "a"), Connection.GetValueFromHash("h", "empty"), Connection.GetValueFromHash("h", "none")));
        Assert.Equal((4L, 0L), (Connection.GetHashCount("h"), Connection.GetHashCount("other")));
        Commit(transaction => transaction.RemoveHash("h"));
        Assert.Null(Connection.GetAllEntriesFromHash("h"));
    }

    [Fact]
    public void A_list_has_the_newest_first_and_values_as_often_as_they_came()
    {
        Insert("l", "a", "b", "c", "b");
        Assert.Equal(["b", "c", "b", "a"], Connection.GetAllItemsFromList("l"));
        Assert.Equal(["c", "b"], Connection.GetRangeFromList("l", 1, 2));
        Assert.Empty(Connection.GetRangeFromList("l", 4, 8));
        Assert.Equal((4L, 0L), (Connection.GetListCount("l"), Connection.GetListCount("other")));
        Commit(transaction => transaction.RemoveFromList("l", "b"));
        Assert.Equal(["c", "a"], Connection.GetAllItemsFromList("l"));
        Assert.Empty(Connection.GetAllItemsFromList("other"));
    }

    [Theory]
    [InlineData(0, 1, "e d")]
    [InlineData(1, 3, "d c b")]
    [InlineData(0, 100, "e d c b a")]
    [InlineData(3, int.MaxValue, "b a")]
    [InlineData(7, 9, "")]
    [InlineData(2, 1, "")]
    public void A_list_is_trimmed(int from, int to, string left)
    {
        Insert("l", "a", "b", "c", "d", "e");
        Commit(transaction => transaction.TrimList("l", from, to));
        if (!Does(JobStorageHabit.TrimsFromNewest)) left = string.Concat(left.Reverse().Select(letter => letter == ' ' ? ' ' : (char)('a' + 'e' - letter)));
        Assert.Equal(left, string.Join(' ', Connection.GetAllItemsFromList("l")));
    }

    [Fact]
    public void Counters_count_up_and_down()
    {
        Commit(transaction =>
        {
            transaction.IncrementCounter("c");
            transaction.IncrementCounter("c");
            transaction.IncrementCounter("c", TimeSpan.FromHours(1));
            transaction.DecrementCounter("c");
            transaction.DecrementCounter("d", TimeSpan.FromHours(1));
        });
        Assert.Equal((2L, -1L, 0L), (Connection.GetCounter("c"), Connection.GetCounter("d"), Connection.GetCounter("none")));
    }

    [Fact]
    public async Task Who_counts_at_once_is_counted()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            using var connection = Storage.GetConnection();
            for (var i = 0; i < 50; i++)
            {
                using var transaction = connection.CreateWriteTransaction();
                transaction.IncrementCounter("c");
                transaction.Commit();
            }
        }, Cancel)));
        Assert.Equal(200, Connection.GetCounter("c"));
    }

    [Fact]
    public void Sets_hashes_and_lists_expire_or_are_kept()
    {
        Fill();
        Assert.All([Connection.GetSetTtl("k"), Connection.GetHashTtl("k"), Connection.GetListTtl("k"), Connection.GetSetTtl("none")], ttl => Assert.True(ttl < TimeSpan.Zero));
        Expire("k", TimeSpan.FromMinutes(10));
        Assert.All([Connection.GetSetTtl("k"), Connection.GetHashTtl("k"), Connection.GetListTtl("k")], ttl => Assert.InRange(ttl.TotalMinutes, 9, 10));
        Commit(transaction =>
        {
            transaction.PersistSet("k");
            transaction.PersistHash("k");
            transaction.PersistList("k");
        });
        Assert.All([Connection.GetSetTtl("k"), Connection.GetHashTtl("k"), Connection.GetListTtl("k")], ttl => Assert.True(ttl < TimeSpan.Zero));
    }

    [Fact]
    public void Who_takes_the_place_of_something_that_was_to_expire_does_not_expire()
    {
        Fill();
        Expire("k", TimeSpan.FromMinutes(10));
        Commit(transaction =>
        {
            transaction.RemoveFromSet("k", "v");
            transaction.RemoveHash("k");
            transaction.RemoveFromList("k", "v");
        });
        Fill();
        Assert.All([Connection.GetSetTtl("k"), Connection.GetHashTtl("k"), Connection.GetListTtl("k")], ttl => Assert.True(ttl < TimeSpan.Zero));
    }

    [Fact]
    public void Keys_and_values_may_be_any_text()
    {
        var odd = "a'b\"c%_;--\U0001F600 日本" + (Does(JobStorageHabit.KeepsNul) ? "\0!" : "");
        Commit(transaction =>
        {
            transaction.AddToSet(odd, odd);
            transaction.SetRangeInHash(odd, new Dictionary<string, string> { [odd] = odd });
            transaction.InsertToList(odd, odd);
            transaction.IncrementCounter(odd);
        });
        Assert.Equal([odd], Connection.GetAllItemsFromSet(odd));
        Assert.Equal(odd, Connection.GetAllEntriesFromHash(odd)[odd]);
        Assert.Equal([odd], Connection.GetAllItemsFromList(odd));
        Assert.Equal(1, Connection.GetCounter(odd));
    }

    private void Insert(string key, params string[] values) => Commit(transaction =>
    {
        foreach (var value in values) transaction.InsertToList(key, value);
    });

    private void Fill() => Commit(transaction =>
    {
        transaction.AddToSet("k", "v");
        transaction.SetRangeInHash("k", new Dictionary<string, string> { ["f"] = "v" });
        transaction.InsertToList("k", "v");
    });

    private void Expire(string key, TimeSpan expireIn) => Commit(transaction =>
    {
        transaction.ExpireSet(key, expireIn);
        transaction.ExpireHash(key, expireIn);
        transaction.ExpireList(key, expireIn);
        transaction.ExpireSet("none", expireIn);
        transaction.ExpireHash("none", expireIn);
        transaction.ExpireList("none", expireIn);
    });
}
