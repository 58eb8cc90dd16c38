using System.Globalization;
using Spectre.Console;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Commands;

/// <summary>Shows a mailing's balance to people: a table where somebody watches, lines else; and below it the sum itself.</summary>
internal static class BalanceView
{
    /// <summary>Writes a balance.</summary>
    public static async Task WriteAsync(CommandRun run, Mailing mailing, Balance balance)
    {
        await run.Out.WriteLineAsync($"{mailing.Issue}: {StateOf(mailing)}");
        if (run.Host.OutIsTerminal) run.Console.Write(TableOf(balance));
        else foreach (var (state, count) in Rows(balance)) await run.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"  {state,-10} {count,9}"));
        await run.Out.WriteLineAsync(Sum(balance));
    }

    /// <summary>Writes which domains do not want the mailing, a line each; nothing when all do.</summary>
    public static async Task WriteAlarmsAsync(TextWriter target, Mailing mailing, IReadOnlyList<DomainAlarm> alarms)
    {
        foreach (var alarm in alarms) await target.WriteLineAsync($"alarm: {Describe(mailing, alarm)}");
        if (!mailing.IsOver && alarms.Any(alarm => alarm.StoppedAt is not null)) await target.WriteLineAsync($"`weeklydigest resume {mailing.Issue}` tries the domains again that are left alone.");
    }

    /// <summary>Writes what a person can decide, a line each with the command that does it; nothing when there is nothing to decide.</summary>
    public static async Task WriteDecisionsAsync(TextWriter target, Mailing mailing, Balance balance)
    {
        var isCancelled = mailing.State == MailingState.Cancelled;
        if (balance.Uncertain > 0)
            await target.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{balance.Uncertain} uncertain: `weeklydigest resolve {mailing.Issue} --uncertain sent` counts them as sent{(isCancelled ? "" : ", with `resend` they are sent again")}; `weeklydigest deliveries {mailing.Issue} --state uncertain` lists them."));
        if (balance.Failed > 0 && !isCancelled)
            await target.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{balance.Failed} failed: `weeklydigest retry {mailing.Issue} --failed` tries them once more, but for who bounced or left; `weeklydigest deliveries {mailing.Issue} --state failed` lists them."));
    }

    /// <summary>An alarm of a mailing in words.</summary>
    public static string Describe(Mailing mailing, DomainAlarm alarm)
    {
        var stop = alarm.StoppedAt is null ? "" : string.Create(CultureInfo.InvariantCulture, $"; left alone after {alarm.InARow} in a row{(mailing.IsOver ? "" : Waiting(alarm))}");
        return string.Create(CultureInfo.InvariantCulture, $"{alarm.Domain} refused {alarm.Refusals} {(alarm.Refusals == 1 ? "message" : "messages")}, suppressing nobody{stop}. Its last words: {alarm.Reply}");
    }

    /// <summary>How many deliveries of a domain that a mailing leaves alone wait to be sent: none where nothing of it goes out any more.</summary>
    public static long WaitingOf(Mailing mailing, DomainAlarm alarm) => mailing.IsOver ? 0 : alarm.Waiting;

    /// <summary>A mailing's state in words.</summary>
    public static string StateOf(Mailing mailing) => mailing switch
    {
        { State: MailingState.Scheduled, ScheduledAt: { } at } => string.Create(CultureInfo.InvariantCulture, $"scheduled for {at:yyyy-MM-dd HH:mm:ss zzz}"),
        { CanBeRescheduled: true, ScheduledAt: { } at } => string.Create(CultureInfo.InvariantCulture, $"paused: {mailing.StateReason ?? "by the editor"}; its time is {at:yyyy-MM-dd HH:mm:ss zzz}"),
        { StateReason: { Length: > 0 } reason } => $"{Name(mailing.State)}: {reason}",
        _ => Name(mailing.State),
    };

    /// <summary>The states with their counts, in the order of the sum.</summary>
    public static IReadOnlyList<(string State, long Count)> Rows(Balance balance) =>
    [
        ("pending", balance.Pending), ("claimed", balance.Claimed), ("sending", balance.Sending), ("deferred", balance.Deferred),
        ("sent", balance.Sent), ("failed", balance.Failed), ("suppressed", balance.Suppressed), ("uncertain", balance.Uncertain),
    ];

    /// <summary>The sum that has to hold, and whether it does.</summary>
    public static string Sum(Balance balance)
        => string.Create(CultureInfo.InvariantCulture, $"{balance.Total} = {string.Join(" + ", Rows(balance).Select(row => $"{row.Count} {row.State}"))}")
            + (balance.AddsUp ? "" : "  DOES NOT ADD UP: this is an error in WeeklyDigest or in the database; please report it.");

    private static string Waiting(DomainAlarm alarm) => string.Create(CultureInfo.InvariantCulture, $", {alarm.Waiting} {(alarm.Waiting == 1 ? "waits" : "wait")}");

    private static string Name(MailingState state) => state.ToString().ToLowerInvariant();

    private static Table TableOf(Balance balance)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumn("state").AddColumn(new TableColumn("deliveries").RightAligned());
        foreach (var (state, count) in Rows(balance))
            table.AddRow(new Text(state), new Text(count.ToString("N0", CultureInfo.InvariantCulture), StyleOf(state, count)));
        return table;
    }

    private static Style StyleOf(string state, long count) => (state, count) switch
    {
        (_, 0) => new Style(decoration: Decoration.Dim),
        ("sent", _) => new Style(Color.Green),
        ("failed" or "uncertain", _) => new Style(Color.Red),
        ("deferred", _) => new Style(Color.Yellow),
        _ => Style.Plain,
    };
}
