using System.Globalization;
using Hangfire;
using Hangfire.Storage.Monitoring;
using WeeklyDigest.Publishing;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Server.Dashboard;

/// <summary>A process on this database as the page Nodes shows it.</summary>
/// <param name="Machine">Its machine's name.</param>
/// <param name="ProcessId">Its number there; null when it is not known.</param>
/// <param name="Server">What it says of itself; null for a command, such as <c>send</c>.</param>
/// <param name="IsSilent">Whether it missed two signs of life: it is dead, or cut off.</param>
/// <param name="Work">What it sends.</param>
internal sealed record NodeRow(string Machine, int? ProcessId, ServerDto? Server, bool IsSilent, IReadOnlyList<NodeWork> Work)
{
    /// <summary>Whether it is the process that shows the page.</summary>
    public bool IsThis => ProcessId == Environment.ProcessId && Machine.Equals(Environment.MachineName, StringComparison.OrdinalIgnoreCase);
}

/// <summary>What a node has in hand of a mailing.</summary>
/// <param name="Issue">The issue.</param>
/// <param name="Rows">Recipients it has claimed or is sending to.</param>
/// <param name="LeaseUntil">When others take them, unless the node shows before that it lives.</param>
internal sealed record NodeWork(string Issue, long Rows, DateTimeOffset LeaseUntil);

/// <summary>Reads who is there from Hangfire's servers, and who sends what from the ledger.</summary>
/// <param name="storage">Knows the servers.</param>
/// <param name="database">Knows who holds rows.</param>
/// <param name="time">The clock.</param>
internal sealed class NodeOverview(JobStorage storage, Database database, TimeProvider time)
{
    // Hangfire's servers give a sign of life every 30 seconds.
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(75);

    /// <summary>All servers, and all commands that send, by machine and process.</summary>
    public async Task<IReadOnlyList<NodeRow>> ReadAsync(CancellationToken cancel)
    {
        var senders = (await database.Ledger.HoldersAsync(cancel)).Select(Sender.Of).ToLookup(sender => (Machine: sender.Machine.ToLowerInvariant(), (int?)sender.ProcessId));
        var issues = (await database.Mailings.ListAsync(cancel)).ToDictionary(mailing => mailing.Id, mailing => mailing.Issue.Value);
        var servers = storage.GetMonitoringApi().Servers().ToLookup(server => KeyOf(server.Name));
        return [.. servers.Select(server => server.Key).Union(senders.Select(sender => sender.Key)).Order().Select(key => Row(key, servers[key].MaxBy(server => server.Heartbeat), senders[key]))];

        NodeRow Row((string Machine, int? ProcessId) key, ServerDto? server, IEnumerable<Sender> held) => new(
            key.Machine, key.ProcessId, server, server is not null && !IsAlive(server), [.. held.Select(sender => new NodeWork(issues[sender.MailingId], sender.Rows, sender.LeaseUntil))]);
    }

    private bool IsAlive(ServerDto server) => server.Heartbeat is { } at && time.GetUtcNow().UtcDateTime - at < Silence;

    // Hangfire's name of a server: machine, process and a random part, separated by colons.
    private static (string Machine, int? ProcessId) KeyOf(string server)
    {
        var parts = server.Split(':');
        return parts.Length == 3 && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? (parts[0], id) : (server, null);
    }
}
