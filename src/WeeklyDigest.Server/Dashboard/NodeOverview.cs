using System.Globalization;
using Hangfire;
using Hangfire.Storage.Monitoring;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Server.Dashboard;

/// <summary>A process on this database as the page Nodes shows it.</summary>
/// <param name="Machine">Its machine's name.</param>
/// <param name="ProcessId">Its number there; null when it is not known.</param>
/// <param name="Server">What it says of itself; null for a command, such as <c>send</c>.</param>
/// <param name="Silence">How long ago a server gave its last sign of life; null when it gave none.</param>
/// <param name="Work">What it sends, and what it sent within two weeks.</param>
internal sealed record NodeRow(string Machine, int? ProcessId, ServerDto? Server, TimeSpan? Silence, IReadOnlyList<NodeWork> Work)
{
    // Hangfire's servers give a sign of life every 30 seconds.
    private static readonly TimeSpan TwoSigns = TimeSpan.FromSeconds(60);

    /// <summary>Whether a server has missed a sign of life: it is dead, or cut off.</summary>
    public bool IsSilent => Server is not null && !(Silence < TwoSigns);

    /// <summary>When it was last heard of: its sign of life, or what it noted of a mailing.</summary>
    public DateTimeOffset? HeardOf => Server is not null ? Server.Heartbeat is { } at ? new DateTimeOffset(at, TimeSpan.Zero) : null : Work.Max(work => work.NotedAt);

    /// <summary>Whether it lives, as far as is known, or holds what others wait for.</summary>
    public bool IsThere => Server is not null || Work.Any(work => work.Rows > 0);

    /// <summary>Whether it is the process that shows the page.</summary>
    public bool IsThis => ProcessId == Environment.ProcessId && Machine.Equals(Environment.MachineName, StringComparison.OrdinalIgnoreCase);
}

/// <summary>A node's part in a mailing.</summary>
/// <param name="Issue">The issue.</param>
/// <param name="Rows">Recipients it has claimed or is sending to.</param>
/// <param name="LeaseUntil">When others take them, unless the node shows before that it lives; null when it has none.</param>
/// <param name="Sent">Messages it sent, as it noted up to five seconds ago.</param>
/// <param name="Since">When it began on the mailing; null when it has noted nothing yet.</param>
/// <param name="NotedAt">When it noted that.</param>
internal sealed record NodeWork(string Issue, long Rows, DateTimeOffset? LeaseUntil, long Sent, DateTimeOffset? Since, DateTimeOffset? NotedAt);

/// <summary>Reads who is there from Hangfire's servers, and who sends what from the ledger.</summary>
/// <param name="storage">Knows the servers.</param>
/// <param name="database">Knows who holds rows.</param>
/// <param name="time">The clock.</param>
internal sealed class NodeOverview(JobStorage storage, Database database, TimeProvider time)
{
    /// <summary>All servers, and all commands that send, by machine and process; then those that are gone, the last one first.</summary>
    public async Task<IReadOnlyList<NodeRow>> ReadAsync(CancellationToken cancel)
    {
        var held = (await database.Ledger.HoldersAsync(cancel)).ToDictionary(holder => holder.Owner);
        var notes = (await database.Ledger.SentNotesAsync(cancel)).ToDictionary(note => note.Owner);
        var issues = (await database.Mailings.ListAsync(cancel)).ToDictionary(mailing => mailing.Id, mailing => mailing.Issue.Value);
        var senders = held.Keys.Union(notes.Keys).Order(StringComparer.Ordinal).ToLookup(KeyOfOwner, owner => WorkOf(owner, issues, held.GetValueOrDefault(owner), notes.GetValueOrDefault(owner)));
        var servers = storage.GetMonitoringApi().Servers().ToLookup(server => KeyOf(server.Name));
        // Signs of life are dated by the clock that all nodes share, where there is one.
        var now = await database.ServerTimeAsync(cancel) ?? time.GetUtcNow();
        var rows = servers.Select(server => server.Key).Union(senders.Select(sender => sender.Key)).Order().Select(key => Row(key, servers[key].MaxBy(server => server.Heartbeat), senders[key]));
        return [.. rows.OrderByDescending(row => row.IsThere).ThenByDescending(row => row.IsThere ? null : row.HeardOf)];

        NodeRow Row((string Machine, int? ProcessId) key, ServerDto? server, IEnumerable<NodeWork> work)
            => new(key.Machine, key.ProcessId, server, now.UtcDateTime - server?.Heartbeat, [.. work]);
    }

    private static NodeWork WorkOf(string owner, Dictionary<long, string> issues, ClaimHolder? held, SentNote? note)
        => new(issues[Sender.PartsOf(owner).MailingId], held?.Rows ?? 0, held?.LeaseUntil, note?.Sent ?? 0, note?.Since, note?.At);

    private static (string Machine, int? ProcessId) KeyOfOwner(string owner)
    {
        var (machine, processId, _) = Sender.PartsOf(owner);
        return (machine.ToLowerInvariant(), processId);
    }

    // Hangfire's name of a server: machine, process and a random part, separated by colons.
    private static (string Machine, int? ProcessId) KeyOf(string server)
    {
        var parts = server.Split(':');
        return parts.Length == 3 && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? (parts[0], id) : (server, null);
    }
}
