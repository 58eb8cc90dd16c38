using WeeklyDigest.Audience;

namespace WeeklyDigest.Storage;

/// <summary>What a look at a database brought to light; nothing in it was changed.</summary>
public sealed record DatabaseExamination
{
    /// <summary>The file, or database and server, for messages.</summary>
    public required string Place { get; init; }

    /// <summary>Whether it holds our tables; if not, opening it makes them.</summary>
    public required bool IsThere { get; init; }

    /// <summary>The newest migration that was applied; empty when there is none.</summary>
    public string Schema { get; init; } = "";

    /// <summary>Migrations of this version that opening it would apply.</summary>
    public IReadOnlyList<string> Missing { get; init; } = [];

    /// <summary>What its migrations made and it has no longer, such as <c>table delivery</c>.</summary>
    public IReadOnlyList<string> Lost { get; init; } = [];

    /// <summary>Whether another program was writing to its file all the time, so that it was not found out whether we can.</summary>
    public bool IsHeld { get; init; }

    /// <summary>What the user may not do there and has to, a sentence each, with what to do.</summary>
    public IReadOnlyList<string> Denied { get; init; } = [];

    /// <summary>What is wrong with the tables of the jobs on its server, with what to do; null when nothing.</summary>
    public string? Jobs { get; init; }

    /// <summary>Whether servers have run with it and the tables of their jobs are not there, which the next one makes.</summary>
    public bool JobsAreGone { get; init; }

    /// <summary>What is said, with what to do, when the tables of the jobs are there, which only servers make, and the ledger's are not; else null.</summary>
    public string? LostLedger { get; init; }

    /// <summary>What the database's own check found wrong; empty: nothing; null: it did not end in time.</summary>
    public IReadOnlyList<string>? Damage { get; init; } = [];

    /// <summary>In words why <see cref="Damage"/> is empty.</summary>
    public string Soundness { get; init; } = "";

    /// <summary>The lists and who is active in them; null when its tables are not such that they could be counted.</summary>
    public IReadOnlyList<ListSummary>? Lists { get; init; }

    /// <summary>The lists that were read from a file in the subscribers folder once.</summary>
    public IReadOnlyList<ListName> FromFiles { get; init; } = [];

    /// <summary>The names of what it keeps for the installation, see <see cref="Publishing.IMailingStore.SecretAsync"/>; none when they could not be read.</summary>
    public IReadOnlyList<string> Secrets { get; init; } = [];

    /// <summary>What time it is by the database's server; null when it is a file.</summary>
    public DateTimeOffset? Time { get; init; }

    /// <summary>Whether other users of the machine can read its file.</summary>
    public bool IsExposed { get; init; }
}
