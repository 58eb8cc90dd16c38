using WeeklyDigest.Audience;
using WeeklyDigest.Issues;

namespace WeeklyDigest.Publishing;

/// <summary>The lists something is about: those an issue names, one that was asked for, or every list there is.</summary>
public sealed class WantedLists
{
    private WantedLists(IReadOnlyList<ListName>? named, IReadOnlyList<string> misnamed) => (Named, Misnamed) = (named, misnamed);

    /// <summary>Every list there is, whatever its name.</summary>
    public static WantedLists Every { get; } = new(null, []);

    /// <summary>The lists that are named, each once; null: every list there is.</summary>
    public IReadOnlyList<ListName>? Named { get; }

    /// <summary>What stands where names of lists are expected and can be none.</summary>
    public IReadOnlyList<string> Misnamed { get; }

    /// <summary>These lists.</summary>
    public static WantedLists Only(params IEnumerable<ListName> lists) => new([.. lists.Distinct()], []);

    /// <summary>The lists an issue goes to: those in its front matter; without any, every list.</summary>
    public static WantedLists Of(Issue issue)
    {
        if (issue.Lists.Count == 0) return Every;
        var (named, misnamed) = (new List<ListName>(), new List<string>());
        foreach (var text in issue.Lists)
        {
            if (!ListName.TryParse(text, out var name)) misnamed.Add(text);
            else if (!named.Contains(name)) named.Add(name);
        }
        return new WantedLists(named, misnamed);
    }

    /// <summary>Whether a list is among them; a file whose name is no list name may be any list only where every list is meant.</summary>
    public bool Include(ListName? list) => Named is null || (list is not null && Named.Contains(list));
}
