using System.Text;

namespace WeeklyDigest.Server;

/// <summary>
/// What commands print, on its way to a stream. Each line is there when it was printed, also in a file or a pipe: so it survives a kill, and stands where it
/// belongs among the lines of stderr. Very many rows would get slow by that: they go in large parts.
/// </summary>
internal sealed class ResultOutput : IAsyncDisposable
{
    private const int PartLength = 32 * 1024;

    private readonly StreamWriter stream;
    private readonly bool isTerminal;

    /// <summary>An output that has printed nothing yet.</summary>
    /// <param name="target">The stream; stays the caller's.</param>
    /// <param name="isTerminal">Whether somebody watches: rows are told one by one as well.</param>
    public ResultOutput(Stream target, bool isTerminal)
    {
        stream = new StreamWriter(target, new UTF8Encoding(false), PartLength, leaveOpen: true) { AutoFlush = true };
        this.isTerminal = isTerminal;
        Writer = TextWriter.Synchronized(stream);
    }

    /// <summary>Where commands print; many threads may.</summary>
    public TextWriter Writer { get; }

    /// <summary>From here on what is printed is told in large parts, the rest of it when that is asked for or this is disposed of.</summary>
    public void BeginRows() => stream.AutoFlush = isTerminal;

    /// <summary>Tells the rest.</summary>
    public ValueTask DisposeAsync() => stream.DisposeAsync();
}
