using System.Globalization;
using Spectre.Console;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Commands;

/// <summary>Shows a delivery run while it goes on: a bar where somebody watches; else a line every few seconds, and whenever the mailing's state or a notice changes.</summary>
internal static class DeliveryDisplay
{
    /// <summary>Runs the work and shows what it reports.</summary>
    public static Task<T> ShowAsync<T>(CommandRun run, string title, Func<IProgress<DeliveryProgress>, Task<T>> work)
        => run.Host.OutIsTerminal ? WithBarAsync(run, work) : work(new Lines(run.Out, title, run.Host.Time));

    /// <summary>Progress in one line, every state that has deliveries named.</summary>
    public static string Describe(DeliveryProgress progress)
        => Line(BalanceView.Rows(progress.Balance).Where(row => row.Count > 0), progress);

    /// <summary>Progress beside a bar, which shows what is open: what was sent, and what somebody should look at.</summary>
    public static string Summarize(DeliveryProgress progress)
        => Line(BalanceView.Rows(progress.Balance).Where(row => row.State == "sent" || (row.Count > 0 && row.State is "deferred" or "failed" or "uncertain")), progress);

    private static string Line(IEnumerable<(string State, long Count)> rows, DeliveryProgress progress)
    {
        // Before the first look at the ledger nothing is known.
        var total = progress.Balance.Total;
        var counts = string.Join(", ", rows.Select(row => string.Create(CultureInfo.InvariantCulture, $"{row.Count} {row.State}")));
        string?[] words = [total > 0 ? string.Create(CultureInfo.InvariantCulture, $"{counts} of {total}") : "", .. Outlook(progress), progress.Notice];
        return string.Join("; ", words.Where(word => !string.IsNullOrEmpty(word)));
    }

    private static string[] Outlook(DeliveryProgress progress) => ProgressWords.Held(progress) is { } held ? [held]
        : [ProgressWords.Pace(progress.MessagesPerSecond), progress.Balance.Open > 0 ? ProgressWords.Left(progress.Remaining, progress.DoneAt) : ""];

    private static async Task<T> WithBarAsync<T>(CommandRun run, Func<IProgress<DeliveryProgress>, Task<T>> work)
    {
        T result = default!;
        await run.Console.Progress().AutoClear(true)
            .Columns(new ProgressBarColumn { Width = 24 }, new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .StartAsync(async bars => result = await work(new Bar(bars.AddTask("connecting"))));
        return result;
    }

    private sealed class Bar(ProgressTask task) : IProgress<DeliveryProgress>
    {
        public void Report(DeliveryProgress value)
        {
            task.MaxValue = Math.Max(1, value.Balance.Total);
            task.Value = value.Balance.Total - value.Balance.Open;
            task.Description = Markup.Escape(Summarize(value));
        }
    }

    private sealed class Lines(TextWriter target, string title, TimeProvider time) : IProgress<DeliveryProgress>
    {
        private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
        private readonly Lock gate = new();
        private long? last;
        private string? told;

        public void Report(DeliveryProgress value)
        {
            lock (gate)
            {
                var gist = Gist($"{ProgressWords.Held(value)} {value.Notice}");
                // By the time that passes: somebody may set the clock back.
                if (last is { } before && time.GetElapsedTime(before) < Interval && told == gist) return;
                (last, told) = (time.GetTimestamp(), gist);
                target.WriteLine($"{title}: {Describe(value)}");
            }
        }

        // A notice that counts seconds is not a new one each second.
        private static string Gist(string words) => string.Concat(words.Where(letter => !char.IsAsciiDigit(letter)));
    }
}
