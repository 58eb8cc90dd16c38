namespace WeeklyDigest.Rendering;

/// <summary>Numbers the addresses that stand behind words in the text part, through the whole issue.</summary>
internal sealed class LinkNotes
{
    private readonly List<NoteView> open = [];
    private int last;

    /// <summary>The number of an address; the same again until the notes are taken.</summary>
    public int Number(string url)
    {
        if (open.Find(note => note.Url == url) is { } known) return known.Number;
        open.Add(new NoteView(++last, url));
        return last;
    }

    /// <summary>The notes since this was last asked, to be listed under the text that has their numbers.</summary>
    public IReadOnlyList<NoteView> Take()
    {
        var taken = open.ToList();
        open.Clear();
        return taken;
    }
}
