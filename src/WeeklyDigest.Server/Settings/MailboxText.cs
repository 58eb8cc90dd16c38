using WeeklyDigest.Audience;

namespace WeeklyDigest.Server.Settings;

/// <summary>Reads a mailbox as people write it: <c>address</c>, <c>Name &lt;address&gt;</c> or <c>"Name" &lt;address&gt;</c>.</summary>
internal static class MailboxText
{
    /// <summary>The mailbox, or null when the text is none.</summary>
    public static Mailbox? Parse(string text)
    {
        var (name, address) = Split(text.Trim());
        if (!EmailAddress.TryParse(address, out var parsed) || name.Any(char.IsControl)) return null;
        return new Mailbox(name.Length == 0 ? null : name, parsed);
    }

    private static (string Name, string Address) Split(string text)
    {
        var open = text.LastIndexOf('<');
        if (open < 0 || !text.EndsWith('>')) return ("", text);
        var name = text[..open].Trim();
        if (name.Length >= 2 && name[0] == '"' && name[^1] == '"') name = name[1..^1].Replace("\\\"", "\"", StringComparison.Ordinal).Trim();
        return (name, text[(open + 1)..^1]);
    }
}
