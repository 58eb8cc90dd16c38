using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using WeeklyDigest.Audience;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Storage;

/// <summary>Frozen content as JSON. What is written today is read by every later version: members may be added, none renamed.</summary>
internal static class FrozenContentJson
{
    private static readonly JsonSerializerOptions Options = new()
    {
        // Written to a column, never into a page.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(), new AddressConverter() },
    };

    /// <summary>The text of a content.</summary>
    public static string Write(FrozenContent content) => JsonSerializer.Serialize(content, Options);

    /// <summary>The content of a text.</summary>
    public static FrozenContent Read(string text)
        => JsonSerializer.Deserialize<FrozenContent>(text, Options) ?? throw new StorageException("The database holds an empty content.");

    private sealed class AddressConverter : JsonConverter<EmailAddress>
    {
        public override EmailAddress Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
            => Codes.Address(reader.GetString() ?? "");

        public override void Write(Utf8JsonWriter writer, EmailAddress value, JsonSerializerOptions options)
            => writer.WriteStringValue(value.Value);
    }
}
