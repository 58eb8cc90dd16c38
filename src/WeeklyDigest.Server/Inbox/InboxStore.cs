using System.IO.Enumeration;
using System.Text;
using MimeKit;

namespace WeeklyDigest.Server.Inbox;

/// <summary>
/// The messages in an inbox folder, one .eml file each. Holds nothing in memory: other processes write there too. A page reads the names of
/// all messages and the headers of its own only.
/// </summary>
/// <param name="folder">The folder, such as <c>data/inbox</c>; need not exist.</param>
internal sealed class InboxStore(string folder)
{
    private const int HeaderBytes = 64 * 1024;
    private const string Extension = ".eml";

    /// <summary>How many messages there are.</summary>
    public int Count => Names().Count;

    /// <summary>A page of the list, newest first.</summary>
    /// <param name="skip">How many newer messages to leave out; 0 or more.</param>
    /// <param name="take">How many to return at most.</param>
    public IReadOnlyList<InboxEntry> Page(int skip, int take)
    {
        var names = Names();
        names.Sort(static (a, b) => string.CompareOrdinal(b, a));
        return [.. names.Skip(skip).Take(take).Select(Entry).OfType<InboxEntry>()];
    }

    /// <summary>A message by its name; null when there is none, or the name is no name.</summary>
    public InboxMessage? Read(string? id)
    {
        if (InboxId.Parse(id) is not { } valid)
        {
            return null;
        }

        try
        {
            var file = File.ReadAllBytes(PathOf(valid.Text));
            var (envelope, length) = InboxTrace.Read(file);
            return new InboxMessage(valid.Text, valid.At, envelope, file.AsMemory(length));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Removes all messages that are there now.</summary>
    /// <returns>How many.</returns>
    public int Clear()
    {
        var names = Names();
        names.ForEach(name => File.Delete(PathOf(name)));
        return names.Count;
    }

    private List<string> Names()
    {
        if (!Directory.Exists(folder))
        {
            return [];
        }

        var names = new FileSystemEnumerable<string>(folder, static (ref file) => file.FileName[..^Extension.Length].ToString())
        {
            ShouldIncludePredicate = static (ref file) =>
                file.FileName.EndsWith(Extension, StringComparison.Ordinal) && InboxId.HasShape(file.FileName[..^Extension.Length]),
        };
        return [.. names];
    }

    private string PathOf(string id) => Path.Combine(folder, id + Extension);

    private InboxEntry? Entry(string name)
    {
        try
        {
            var id = InboxId.Parse(name);
            if (id is null)
            {
                return null;
            }

            using var file = File.OpenRead(PathOf(name));
            var top = new byte[Math.Min(file.Length, HeaderBytes)];
            file.ReadExactly(top);
            var (envelope, length) = InboxTrace.Read(top);
            var header = Header(top.AsSpan(length));
            return new InboxEntry(name, id.At, envelope.Sender, envelope.Recipients, header("From"), header("To"), header("Subject"), file.Length);
        }
        catch (FileNotFoundException)
        {
            return null; // cleared while the page was read
        }
    }

    /// <summary>Reads decoded header values; a header that is cut off or broken gives what could be read.</summary>
    private static Func<string, string> Header(ReadOnlySpan<byte> message)
    {
        var end = message.IndexOf("\r\n\r\n"u8);
        var bytes = Encoding.UTF8.GetString(end < 0 ? message : message[..end]);
        var headers = new HeaderList();
        try
        {
            headers = HeaderList.Load(new MemoryStream(Encoding.UTF8.GetBytes(bytes + "\r\n\r\n")));
        }
        catch (FormatException)
        {
            // Not a mail at all; its source can still be looked at.
        }

        return name => headers[name] ?? "";
    }
}
