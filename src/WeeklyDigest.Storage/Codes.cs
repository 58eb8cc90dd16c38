using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Storage;

/// <summary>How values of the pipeline are written in columns: states as lower-case words, times as Unix milliseconds.</summary>
internal static class Codes
{
    private static readonly string[] DeliveryStates = Words<DeliveryState>();
    private static readonly string[] MailingStates = Words<MailingState>();
    private static readonly string[] Refusals = Words<Refusal>();
    private static readonly string[] OccurrenceStates = Words<OccurrenceState>();
    private static readonly string[] RelayAsideKinds = Words<RelayAsideKind>();

    /// <summary>A delivery's state as it stands in the database.</summary>
    public static string Of(DeliveryState state) => DeliveryStates[(int)state];

    /// <summary>A mailing's state as it stands in the database.</summary>
    public static string Of(MailingState state) => MailingStates[(int)state];

    /// <summary>What a refusal is about, as it stands in the database.</summary>
    public static string Of(Refusal refusal) => Refusals[(int)refusal];

    /// <summary>A scheduled time's state as it stands in the database.</summary>
    public static string Of(OccurrenceState state) => OccurrenceStates[(int)state];

    /// <summary>What is the matter with a relay, as it stands in the database.</summary>
    public static string Of(RelayAsideKind kind) => RelayAsideKinds[(int)kind];

    /// <summary>A time as it stands in the database.</summary>
    public static long Of(DateTimeOffset time) => time.ToUnixTimeMilliseconds();

    /// <summary>A time, or null, as it stands in the database.</summary>
    public static long? Of(DateTimeOffset? time) => time?.ToUnixTimeMilliseconds();

    /// <summary>A time from the database.</summary>
    public static DateTimeOffset Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);

    /// <summary>A time, or null, from the database.</summary>
    public static DateTimeOffset? Time(long? milliseconds) => milliseconds is { } value ? Time(value) : null;

    /// <summary>A state from the database.</summary>
    public static T State<T>(string word) where T : struct, Enum => Enum.Parse<T>(word, ignoreCase: true);

    /// <summary>An address from the database, which only holds addresses that were read before.</summary>
    public static EmailAddress Address(string value)
        => EmailAddress.TryParse(value, out var address) ? address : throw new StorageException($"The database holds '{value}', which is no address.");

    /// <summary>List names from the database, joined by spaces; sorted.</summary>
    public static IReadOnlyList<ListName> Lists(string? joined)
        => joined is null ? [] : [.. joined.Split(' ').Select(List).Order()];

    /// <summary>A list name from the database.</summary>
    public static ListName List(string value)
        => ListName.TryParse(value, out var list) ? list : throw new StorageException($"The database holds '{value}', which is no list name.");

    private static string[] Words<T>() where T : struct, Enum => [.. Enum.GetNames<T>().Select(name => name.ToLowerInvariant())];
}
