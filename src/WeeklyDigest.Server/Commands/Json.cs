using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace WeeklyDigest.Server.Commands;

/// <summary>The JSON that commands print: camelCase, enumerations in lower case, times in ISO 8601.</summary>
internal static class Json
{
    // Not for HTML: what people write in any language stays readable.
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
    };

    private static readonly JsonSerializerOptions Indented = new(Options) { WriteIndented = true };

    /// <summary>One document.</summary>
    public static Task WriteAsync<T>(TextWriter target, T value) => target.WriteLineAsync(JsonSerializer.Serialize(value, Indented));

    /// <summary>An array, an element a line, streamed.</summary>
    public static async Task WriteArrayAsync<T>(TextWriter target, IAsyncEnumerable<T> values, CancellationToken cancel)
    {
        var separator = "[\n";
        await foreach (var value in values.WithCancellation(cancel))
        {
            await target.WriteAsync(separator);
            await target.WriteAsync(JsonSerializer.Serialize(value, Options));
            separator = ",\n";
        }
        await target.WriteLineAsync(separator == "[\n" ? "[]" : "\n]");
    }
}
