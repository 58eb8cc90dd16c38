namespace WeeklyDigest.Storage.Sqlite;

/// <summary>A set of the database's ids, a bit each: ids begin at 1 and leave no large gaps.</summary>
internal sealed class IdSet
{
    private ulong[] words = new ulong[16];

    /// <summary>Adds an id.</summary>
    /// <returns>False when it was there.</returns>
    public bool Add(long id)
    {
        var (word, bit) = (checked((int)(id >> 6)), 1UL << (int)(id & 63));
        if (word >= words.Length) Array.Resize(ref words, Math.Max(word + 1, words.Length * 2));
        var isNew = (words[word] & bit) == 0;
        words[word] |= bit;
        return isNew;
    }
}
