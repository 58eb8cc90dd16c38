using Dapper;
using Npgsql;
using WeeklyDigest.Audience;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Storage.Postgres;

/// <summary>One publishing, inside one transaction. Uniqueness is the constraints' work; this only tells what they let through.</summary>
internal sealed class PostgresPublication(NpgsqlConnection connection, PublishRequest request, CancellationToken cancel)
{
    private readonly long now = Codes.Of(request.Now);

    /// <summary>Publishes, or adds the lists that are new.</summary>
    public async Task<PublishResult> RunAsync()
    {
        var created = await RunAsync("AddMailing", new
        {
            issue = request.Issue.Value,
            permalink = request.Content.Permalink,
            state = Codes.Of(request.ScheduledAt is null ? MailingState.Sending : MailingState.Scheduled),
            hash = request.Content.Email.Hash,
            file = request.Content.IssueHash,
            now,
            scheduled = Codes.Of(request.ScheduledAt),
        }) == 1;
        var mailing = await connection.QuerySingleAsync<Found>(Queries.Get("MailingOfIssue"), new { issue = request.Issue.Value });
        if (created) await RunAsync("AddContent", new { mailing = mailing.Id, content = FrozenContentJson.Write(request.Content) });
        // Cancelled means that what is not sent stays unsent; rows added now would wait for ever.
        var added = mailing.State == Codes.Of(MailingState.Cancelled) ? 0 : await AddListsAsync(mailing.Id);
        if (added > 0 && !created) await RunAsync("Reopen", new { mailing = mailing.Id, now });
        return new PublishResult(mailing.Id, created, added, ContentIsFrozen: mailing.ContentHash != request.Content.Email.Hash);
    }

    private async Task<long> AddListsAsync(long mailing)
    {
        var added = 0L;
        foreach (var list in request.Lists) added += await AddListAsync(mailing, list);
        return added;
    }

    // A list that is in the mailing already adds nobody, even if it has grown: who joined later gets the next issue.
    private async Task<long> AddListAsync(long mailing, ListName list)
    {
        if (await connection.ExecuteScalarAsync<long?>(Queries.Get("ListId"), new { list = list.Value }) is null)
            throw new StorageException($"There is no list '{list}'; nothing was published.");
        var isNew = await RunAsync("AddMailingList", new { mailing, list = list.Value }) == 1;
        return isNew ? await RunAsync("AddDeliveries", new { mailing, list = list.Value, now }) : 0;
    }

    // Without a limit of time: the statement for a million rows takes as long as it takes, and can be cancelled.
    private Task<int> RunAsync(string query, object parameters)
        => connection.ExecuteAsync(new CommandDefinition(Queries.Get(query), parameters, commandTimeout: 0, cancellationToken: cancel));

    private sealed class Found
    {
        public long Id { get; init; }
        public required string State { get; init; }
        public required string ContentHash { get; init; }
    }
}
