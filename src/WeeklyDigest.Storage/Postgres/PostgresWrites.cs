using Dapper;
using Npgsql;
using NpgsqlTypes;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Storage.Postgres;

/// <summary>A group of changes in one round trip: arrays go out, the numbers of the changes that were made come back.</summary>
internal sealed class PostgresWrites
{
    private readonly IReadOnlyList<LedgerWrite> writes;
    private readonly bool[] written;

    /// <summary>Takes the changes; nothing is sent yet.</summary>
    /// <exception cref="ArgumentException">One of them makes no sense.</exception>
    public PostgresWrites(IReadOnlyList<LedgerWrite> writes)
    {
        foreach (var write in writes) Check(write);
        (this.writes, written, Results) = (writes, new bool[writes.Count], new LedgerWriteResult[writes.Count]);
    }

    /// <summary>What became of each change, in order.</summary>
    public LedgerWriteResult[] Results { get; }

    /// <summary>Whether some changed nothing, so that <see cref="SettleAsync"/> has to say why.</summary>
    public bool HasUnwritten => written.Contains(false);

    /// <summary>Makes all changes that can be made, in one implicit transaction. Doing it again finds those it made before, see <see cref="SettleAsync"/>.</summary>
    /// <returns>How many were made.</returns>
    public async Task<int> ApplyAsync(NpgsqlConnection connection)
    {
        Array.Clear(written);
        await using var batch = connection.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Queries.Get("Gate")));
        foreach (var round in Rounds())
        {
            Add(batch, "Begin", [.. round.Where(number => IsMark(writes[number]))]);
            Add(batch, "Transition", [.. round.Where(number => !IsMark(writes[number]))]);
        }
        Add(batch, "AbandonRows", [.. All().Where(number => Waits(writes[number]))]);
        AddAnswers(batch);
        await using var answer = await batch.ExecuteReaderAsync();
        var count = 0;
        do
        {
            // The gate's own answer is of another type.
            while (await answer.ReadAsync())
            {
                if (answer.GetFieldType(0) != typeof(int)) continue;
                Note(answer.GetInt32(0), answer.GetString(1));
                count++;
            }
        }
        while (await answer.NextResultAsync());
        return count;
    }

    /// <summary>
    /// Finds out why the others changed nothing. What will not be sent again is uncertain; who left is suppressed; what a pause or a cancellation caught goes back, and so does
    /// who has come back by then; what another holds is left alone. What else is as we wanted it was written before, by a commit whose answer was lost: nobody else has our stamp.
    /// </summary>
    public async Task<int> SettleAsync(NpgsqlConnection connection)
    {
        // What is cancelled now is so for every row, or for none.
        await connection.ExecuteAsync(Queries.Get("Gate"));
        var open = All().Where(number => !written[number]).ToList();
        var found = (await connection.QueryAsync<Standing>(Queries.Get("Unwritten"), new { mailings = Mailings(open), subscribers = Subscribers(open), numbers = open.ToArray() }))
            .ToDictionary(standing => standing.Number);
        var (leaving, stopped) = (new List<(int Number, string Reply)>(), new List<int>());
        foreach (var number in open)
        {
            Results[number] = LedgerWriteResult.Fenced;
            if (!found.TryGetValue(number, out var standing) || standing.Stamp != writes[number].Stamp) continue;
            var isBegun = standing.State == Codes.Of(DeliveryState.Sending);
            var mayBegin = IsMark(writes[number]) && (isBegun || standing.State == Codes.Of(DeliveryState.Claimed));
            if (mayBegin && LedgerReplies.WhyNot(standing.Status, standing.Suppressed) is { } reply) leaving.Add((number, reply));
            else if (mayBegin && standing.Mailing != Codes.Of(MailingState.Sending)) stopped.Add(number);
            else if (standing.State == Codes.Of(writes[number].To)) Results[number] = LedgerWriteResult.Written;
            else if (standing.State == Codes.Of(DeliveryState.Uncertain) && Waits(writes[number])) Results[number] = LedgerWriteResult.Abandoned;
        }
        await AbandonAsync(connection, [.. leaving.Select(row => row.Number), .. stopped]);
        await SuppressAsync(connection, leaving.FindAll(row => Results[row.Number] != LedgerWriteResult.Abandoned));
        await GiveBackAsync(connection, [.. leaving.Select(row => row.Number).Concat(stopped).Where(number => Results[number] == LedgerWriteResult.Fenced)]);
        return open.Count;
    }

    // What changed to another state than it was to was abandoned, which comes last.
    private void Note(int number, string state)
        => (written[number], Results[number]) = (true, state == Codes.Of(writes[number].To) ? LedgerWriteResult.Written : LedgerWriteResult.Abandoned);

    // What was to be sent again and will not be.
    private async Task AbandonAsync(NpgsqlConnection connection, List<int> numbers)
    {
        if (numbers.Count == 0) return;
        var abandoned = await connection.QueryAsync<(int Number, string State)>(Queries.Get("AbandonRows"), new
        {
            mailings = Mailings(numbers), subscribers = Subscribers(numbers), stamps = Each(numbers, write => write.Stamp), times = Each(numbers, write => Codes.Of(write.At)), numbers = numbers.ToArray(),
        });
        foreach (var (number, _) in abandoned) Results[number] = LedgerWriteResult.Abandoned;
    }

    private async Task SuppressAsync(NpgsqlConnection connection, List<(int Number, string Reply)> leaving)
    {
        if (leaving.Count == 0) return;
        var numbers = leaving.ConvertAll(row => row.Number);
        var suppressed = await connection.QueryAsync<int>(Queries.Get("Suppress"), new
        {
            mailings = Mailings(numbers), subscribers = Subscribers(numbers), replies = leaving.Select(row => row.Reply).ToArray(), numbers = numbers.ToArray(),
            now = Codes.Of(writes[numbers[0]].At),
        });
        foreach (var number in suppressed) Results[number] = LedgerWriteResult.Suppressed;
    }

    private async Task GiveBackAsync(NpgsqlConnection connection, List<int> numbers)
    {
        if (numbers.Count == 0) return;
        await connection.ExecuteAsync(Queries.Get("GiveBack"), new { mailings = Mailings(numbers), subscribers = Subscribers(numbers), now = Codes.Of(writes[numbers[0]].At) });
    }

    // One statement changes a row once; a row that is to change twice (lost, then sent again) does so in a second one.
    private List<List<int>> Rounds()
    {
        var rounds = new List<List<int>>();
        var seen = new Dictionary<DeliveryId, int>();
        for (var number = 0; number < writes.Count; number++)
        {
            var round = seen.GetValueOrDefault(writes[number].Id);
            seen[writes[number].Id] = round + 1;
            if (round == rounds.Count) rounds.Add([]);
            rounds[round].Add(number);
        }
        return rounds;
    }

    private void Add(NpgsqlBatch batch, string name, List<int> numbers)
    {
        if (numbers.Count == 0) return;
        var command = OfRows(name, numbers);
        command.Parameters.Add(new NpgsqlParameter<long[]>("times", Each(numbers, write => Codes.Of(write.At))));
        command.Parameters.Add(new NpgsqlParameter<int[]>("numbers", [.. numbers]));
        if (name != "AbandonRows")
        {
            command.Parameters.Add(new NpgsqlParameter<int[]>("counts", Each(numbers, write => write.CountAttempt ? 1 : 0)));
            command.Parameters.Add(new NpgsqlParameter<string?[]>("replies", NpgsqlDbType.Array | NpgsqlDbType.Text) { TypedValue = Each(numbers, write => write.Reply) });
        }
        if (name == "Transition")
        {
            command.Parameters.Add(new NpgsqlParameter<string[]>("olds", Each(numbers, write => Codes.Of(write.From))));
            command.Parameters.Add(new NpgsqlParameter<string[]>("news", Each(numbers, write => Codes.Of(write.To))));
            command.Parameters.Add(new NpgsqlParameter<long?[]>("nexts", Each(numbers, write => write.To == DeliveryState.Deferred ? Codes.Of(write.NextAttemptAt) : null)));
        }
        batch.BatchCommands.Add(command);
    }

    // In their order, for it says how many were refused in a row; acceptances that the ledger has to be told are few.
    private void AddAnswers(NpgsqlBatch batch)
    {
        var refusals = new List<int>();
        foreach (var number in All())
        {
            if (writes[number].Refusal != Refusal.None) refusals.Add(number);
            if (!writes[number].EndsRefusals) continue;
            AddRefusals(batch, refusals);
            batch.BatchCommands.Add(OfRows("EndRefusals", [number]));
            refusals.Clear();
        }
        AddRefusals(batch, refusals);
    }

    private void AddRefusals(NpgsqlBatch batch, List<int> numbers)
    {
        if (numbers.Count == 0) return;
        var command = OfRows("NoteRefusals", numbers);
        command.Parameters.Add(new NpgsqlParameter<string[]>("refusals", Each(numbers, write => Codes.Of(write.Refusal))));
        command.Parameters.Add(new NpgsqlParameter<string?[]>("relays", NpgsqlDbType.Array | NpgsqlDbType.Text) { TypedValue = Each(numbers, write => write.Relay?.Relay) });
        command.Parameters.Add(new NpgsqlParameter<bool[]>("stops", Each(numbers, write => write.StopsDomain is not null)));
        command.Parameters.Add(new NpgsqlParameter<long>("others", LedgerWrite.MailboxRefusalsToSuppress - 1));
        command.Parameters.Add(new NpgsqlParameter<long>("limit", DomainAlarm.RefusalsInARow));
        batch.BatchCommands.Add(command);
        AddTrust(batch, [.. numbers.Select(number => writes[number].Relay).OfType<RelayStanding>().GroupBy(relay => relay.Relay)]);
    }

    // Behind the refusals, some of which may be older than what ends their row.
    private static void AddTrust(NpgsqlBatch batch, IReadOnlyList<IGrouping<string, RelayStanding>> relays)
    {
        if (relays.Count == 0) return;
        var command = new NpgsqlBatchCommand(Queries.Get("TrustRelays"));
        command.Parameters.Add(new NpgsqlParameter<string[]>("relays", [.. relays.Select(relay => relay.Key)]));
        command.Parameters.Add(new NpgsqlParameter<long[]>("accepted", [.. relays.Select(relay => relay.Max(standing => Codes.Of(standing.AcceptedAt)))]));
        command.Parameters.Add(new NpgsqlParameter<long[]>("answered", [.. relays.Select(relay => relay.Max(standing => Codes.Of(standing.AnsweredAt)))]));
        command.Parameters.Add(new NpgsqlParameter<long[]>("newest", [.. relays.Select(relay => relay.Max(standing => Codes.Of(standing.Newest)))]));
        batch.BatchCommands.Add(command);
    }

    private NpgsqlBatchCommand OfRows(string name, List<int> numbers)
    {
        var command = new NpgsqlBatchCommand(Queries.Get(name));
        command.Parameters.Add(new NpgsqlParameter<long[]>("mailings", Mailings(numbers)));
        command.Parameters.Add(new NpgsqlParameter<long[]>("subscribers", Subscribers(numbers)));
        command.Parameters.Add(new NpgsqlParameter<long[]>("stamps", Each(numbers, write => write.Stamp)));
        return command;
    }

    private IEnumerable<int> All() => Enumerable.Range(0, writes.Count);

    private long[] Mailings(List<int> numbers) => Each(numbers, write => write.Id.MailingId);

    private long[] Subscribers(List<int> numbers) => Each(numbers, write => write.Id.SubscriberId);

    private T[] Each<T>(List<int> numbers, Func<LedgerWrite, T> value) => [.. numbers.Select(number => value(writes[number]))];

    private static bool Waits(LedgerWrite write) => write.To is DeliveryState.Pending or DeliveryState.Deferred;

    private static bool IsMark(LedgerWrite write) => write.To == DeliveryState.Sending;

    private static void Check(LedgerWrite write)
    {
        if (write.To == DeliveryState.Deferred && write.NextAttemptAt is null)
            throw new ArgumentException($"Delivery {write.Id} is deferred, but to no time.", nameof(write));
        if (IsMark(write) && write.From is not (DeliveryState.Claimed or DeliveryState.Sending))
            throw new ArgumentException($"Delivery {write.Id} cannot go from {write.From} to sending.", nameof(write));
    }

    /// <summary>A row of the query Unwritten.</summary>
    private sealed class Standing
    {
        public int Number { get; init; }
        public required string State { get; init; }
        public long Stamp { get; init; }
        public required string Mailing { get; init; }
        public required string Status { get; init; }
        public string? Suppressed { get; init; }
    }
}
