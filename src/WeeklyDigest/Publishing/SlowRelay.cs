using System.Globalization;

namespace WeeklyDigest.Publishing;

/// <summary>Says of a relay that keeps us waiting how long it has: in its greeting and login, or for the answer to messages.</summary>
/// <param name="name">The relay's name.</param>
/// <param name="answers">How long its answers take.</param>
/// <param name="time">The clock.</param>
internal sealed class SlowRelay(string name, AnswerWatch answers, TimeProvider time)
{
    private static readonly TimeSpan LongOpening = TimeSpan.FromSeconds(5);

    /// <summary>A relay may ask others about a recipient for some seconds.</summary>
    private static readonly TimeSpan LongAnswer = TimeSpan.FromSeconds(15);

    /// <summary>What it keeps waiting, or null. Under the pool's lock.</summary>
    /// <param name="sessions">Its connections that are out.</param>
    public string? Notice(IReadOnlyCollection<PooledSession> sessions) => Opening(sessions) ?? Answers(sessions);

    private string? Opening(IReadOnlyCollection<PooledSession> sessions)
    {
        var waits = sessions.Where(session => session.IsOpening).Select(session => time.GetElapsedTime(session.OpeningSince)).DefaultIfEmpty().Max();
        return waits < LongOpening ? null : string.Create(CultureInfo.InvariantCulture, $"Relay '{name}' has not let us in for {waits.TotalSeconds:f0} seconds (greeting, TLS, login).");
    }

    private string? Answers(IReadOnlyCollection<PooledSession> sessions)
    {
        var waits = sessions.Select(session => answers.WaitedFor(session.Wait)).Where(wait => wait >= LongAnswer).ToList();
        return waits.Count == 0 ? null : string.Create(
            CultureInfo.InvariantCulture, $"Relay '{name}' has not answered {waits.Count} {(waits.Count == 1 ? "message" : "messages")} for up to {waits.Max().TotalSeconds:f0} seconds.");
    }
}
