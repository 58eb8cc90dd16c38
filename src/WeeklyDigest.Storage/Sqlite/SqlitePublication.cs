using WeeklyDigest.Audience;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Storage.Sqlite;

/// <summary>One publishing, inside one transaction. Uniqueness is the constraints' work; this only tells what they let through.</summary>
internal sealed class SqlitePublication(SqliteWriter transaction, PublishRequest request)
{
    private readonly long now = Codes.Of(request.Now);

    /// <summary>Publishes, or adds the lists that are new.</summary>
    public PublishResult Run()
    {
        var created = AddMailing();
        var (mailing, state, hash) = Find();
        if (created) transaction.Statement("AddContent").With("@mailing", mailing).With("@content", FrozenContentJson.Write(request.Content)).Run();
        // Cancelled means that what is not sent stays unsent; rows added now would wait for ever.
        var added = state == Codes.Of(MailingState.Cancelled) ? 0 : request.Lists.Sum(list => AddList(mailing, list));
        if (added > 0 && !created) transaction.Statement("Reopen").With("@mailing", mailing).With("@now", now).Run();
        return new PublishResult(mailing, created, added, ContentIsFrozen: hash != request.Content.Email.Hash);
    }

    private bool AddMailing()
        => transaction.Statement("AddMailing")
            .With("@issue", request.Issue.Value)
            .With("@permalink", request.Content.Permalink)
            .With("@state", Codes.Of(request.ScheduledAt is null ? MailingState.Sending : MailingState.Scheduled))
            .With("@hash", request.Content.Email.Hash)
            .With("@file", request.Content.IssueHash)
            .With("@now", now)
            .With("@scheduled", Codes.Of(request.ScheduledAt))
            .Run() == 1;

    private (long Id, string State, string Hash) Find()
    {
        using var row = transaction.Statement("MailingOfIssue").With("@issue", request.Issue.Value).Read();
        row.Next();
        return (row.Number(0), row.Text(1), row.Text(2));
    }

    // A list that is in the mailing already adds nobody, even if it has grown: who joined later gets the next issue.
    private long AddList(long mailing, ListName list)
    {
        if (!transaction.Statement("ListId").With("@list", list.Value).Any())
            throw new StorageException($"There is no list '{list}'; nothing was published.");
        var isNew = transaction.Statement("AddMailingList").With("@mailing", mailing).With("@list", list.Value).Run() == 1;
        return isNew
            ? transaction.Statement("AddDeliveries").With("@mailing", mailing).With("@list", list.Value).With("@now", now).Run()
            : 0;
    }
}
