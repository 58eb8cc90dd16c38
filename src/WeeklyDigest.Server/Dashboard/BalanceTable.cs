using System.Globalization;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Public;

namespace WeeklyDigest.Server.Dashboard;

/// <summary>A balance for people: one cell a state, and the sum that proves itself.</summary>
internal static class BalanceTable
{
    /// <summary>All states as a table.</summary>
    public static Html Of(Balance balance) => Html.Of(
        $"""
        <div class="table-responsive" tabindex="0" role="group" aria-label="Balance"><table class="table wd-balance"><caption class="sr-only">Balance</caption>
        <thead><tr>{States(balance).Select(state => Html.Of($"<th scope=\"col\" class=\"{Emphasis(state)}\">{state.Name}</th>"))}<th scope="col">total</th></tr></thead>
        <tbody><tr>{States(balance).Select(state => Html.Of($"<td class=\"{Emphasis(state)}\">{Number(state.Count)}</td>"))}<td><strong>{Number(balance.Total)}</strong></td></tr></tbody>
        </table></div>
        <p class="wd-sum">{Sum(balance)}</p>
        """);

    /// <summary>The states that are not empty, as a line.</summary>
    public static Html Line(Balance balance) => Html.Of(
        $"<strong>{Number(balance.Sent)}</strong> of {Number(balance.Total)} sent{string.Concat(Others(balance))}");

    private static IEnumerable<string> Others(Balance balance)
        => States(balance).Where(state => state.Count > 0 && state.Name != "sent").Select(state => $", {Number(state.Count)} {state.Name}");

    private static string Sum(Balance balance) => balance.AddsUp
        ? $"It adds up: {string.Join(" + ", States(balance).Select(state => Number(state.Count)))} = {Number(balance.Total)}; {Number(balance.Attempts)} {(balance.Attempts == 1 ? "attempt" : "attempts")}."
        : $"It does not add up: {string.Join(" + ", States(balance).Select(state => Number(state.Count)))} is not {Number(balance.Total)}. Please report this.";

    private static (string Name, long Count, bool Attention)[] States(Balance balance) =>
    [
        ("pending", balance.Pending, false),
        ("claimed", balance.Claimed, false),
        ("sending", balance.Sending, false),
        ("deferred", balance.Deferred, true),
        ("sent", balance.Sent, false),
        ("failed", balance.Failed, true),
        ("suppressed", balance.Suppressed, false),
        ("uncertain", balance.Uncertain, true),
    ];

    private static string Emphasis((string Name, long Count, bool Attention) state)
        => state.Count == 0 ? "wd-none" : state.Attention ? "wd-attention" : "";

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
