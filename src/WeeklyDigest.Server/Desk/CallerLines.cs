namespace WeeklyDigest.Server.Desk;

/// <summary>One at a time for each caller, in the order they came: who asks a thousand times at once stands in the way of nobody else.</summary>
/// <param name="longest">How many of one caller wait at the most.</param>
internal sealed class CallerLines(int longest)
{
    private readonly Dictionary<string, Line> lines = [];
    private readonly Lock gate = new();

    /// <summary>Waits for the caller's turn.</summary>
    /// <param name="caller">Whose turn.</param>
    /// <param name="cancel">Gives up the turn.</param>
    /// <returns>The turn, until it is disposed; null at once when too many wait.</returns>
    public async Task<IDisposable?> EnterAsync(string caller, CancellationToken cancel)
    {
        if (Join(caller) is not { } line) return null;
        try
        {
            await line.Turn.WaitAsync(cancel);
        }
        catch (OperationCanceledException)
        {
            Leave(line);
            throw;
        }
        return new Place(this, line);
    }

    private Line? Join(string caller)
    {
        lock (gate)
        {
            var line = lines.GetValueOrDefault(caller) ?? (lines[caller] = new Line(caller));
            // One of them is at it and does not wait.
            if (line.Length > longest) return null;
            line.Length++;
            return line;
        }
    }

    private void Leave(Line line)
    {
        lock (gate)
        {
            if (--line.Length > 0) return;
            lines.Remove(line.Caller);
            line.Turn.Dispose();
        }
    }

    private sealed class Line(string caller)
    {
        public string Caller { get; } = caller;
        public SemaphoreSlim Turn { get; } = new(1, 1);
        public int Length { get; set; }
    }

    private sealed class Place(CallerLines lines, Line line) : IDisposable
    {
        public void Dispose()
        {
            line.Turn.Release();
            lines.Leave(line);
        }
    }
}
