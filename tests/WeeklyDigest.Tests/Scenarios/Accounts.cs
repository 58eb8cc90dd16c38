using System.Text.Json;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>One row of <c>deliveries --json</c>.</summary>
internal sealed record LedgerRow(string Address, string State, int Attempts, string Reply, string MessageId);

/// <summary>What the ledger says of an issue, through the commands an editor has, and whether it agrees with what the relay says.</summary>
/// <param name="State">The mailing's state.</param>
/// <param name="Total">All deliveries.</param>
/// <param name="Counts">Deliveries by state.</param>
/// <param name="Rows">Every delivery.</param>
/// <param name="SentAgain">The addresses that may have got two copies.</param>
internal sealed record Accounts(string State, int Total, IReadOnlyDictionary<string, int> Counts, IReadOnlyList<LedgerRow> Rows, IReadOnlySet<string> SentAgain)
{
    private static readonly string[] States = ["pending", "claimed", "sending", "deferred", "sent", "failed", "suppressed", "uncertain"];

    /// <summary>Deliveries in a state.</summary>
    public int this[string state] => Counts[state];

    /// <summary>Reads them, and checks what has to be true at any moment: the file is sound, the states add up, and the rows say the same.</summary>
    public static async Task<Accounts> ReadAsync(Workspace workspace, string issue)
    {
        if (File.Exists(workspace.DatabaseFile)) Assert.Equal("ok", LedgerFile.Text(workspace, "PRAGMA integrity_check"));
        var status = await workspace.JsonHereAsync("status", issue, "--json");
        var rows = (await workspace.JsonHereAsync("deliveries", issue, "--json")).EnumerateArray().Select(Row).ToList();
        var again = (await workspace.JsonHereAsync("deliveries", issue, "--sent-again", "--json")).EnumerateArray().Select(Row);
        var counts = States.ToDictionary(state => state, state => status.GetProperty(state).GetInt32());
        var accounts = new Accounts(
            status.GetProperty("state").GetString()!, status.GetProperty("total").GetInt32(), counts, rows, again.Select(row => row.Address).ToHashSet());
        Assert.Equal(accounts.Total, counts.Values.Sum());
        Assert.Equal(accounts.Total, rows.Count);
        Assert.Equal(accounts.Total, rows.Select(row => row.Address).Distinct().Count());
        Assert.All(States, state => Assert.Equal(counts[state], rows.Count(row => row.State == state)));
        return accounts;
    }

    /// <summary>
    /// Holds the ledger against the relay's own record: nobody got two but those the ledger names as sent again, and those the same bytes;
    /// whoever is sent or was handed over got exactly the message the ledger names, and whoever is neither sent nor uncertain got none.
    /// </summary>
    /// <param name="relays">All relays the issue went through.</param>
    public void AgreeWith(params ScriptedSmtpServer[] relays)
    {
        var accepted = relays.SelectMany(relay => relay.Accepted).ToList();
        var received = accepted.Select(message => (message.Recipient, message.MessageId)).ToHashSet();
        Assert.Equal(received.Count, received.Select(message => message.Recipient).Distinct().Count());
        Assert.Equal(received.Count, accepted.Select(message => (message.Recipient, message.Digest, Convert.ToHexString(message.Bytes.Span))).Distinct().Count());
        var twice = accepted.GroupBy(message => message.Recipient).Where(copies => copies.Count() > 1).Select(copies => copies.Key);
        Assert.Empty(twice.Except(SentAgain));
        var sent = Keys("sent");
        Assert.Empty(sent.Except(received));
        // Of one that waits to be sent again, or was refused then, the first copy may be there.
        var earlier = Rows.Where(row => row is { State: "pending" or "claimed", Attempts: > 0 } || row.Reply.EndsWith(DeliveryVerdicts.EarlierCopy, StringComparison.Ordinal)).Select(row => row.Address);
        Assert.Empty(received.Except(sent).Except(Keys("uncertain")).Select(message => message.Item1).Except(SentAgain).Except(earlier));
    }

    private HashSet<(string, string)> Keys(string state) => [.. Rows.Where(row => row.State == state).Select(row => (row.Address, row.MessageId))];

    private static LedgerRow Row(JsonElement row) => new(
        row.GetProperty("address").GetString()!,
        row.GetProperty("state").GetString()!,
        row.GetProperty("attempts").GetInt32(),
        row.GetProperty("reply").GetString() ?? "",
        row.GetProperty("messageId").GetString()!.Trim('<', '>'));
}
