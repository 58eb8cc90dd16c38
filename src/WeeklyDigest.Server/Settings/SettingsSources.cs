using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace WeeklyDigest.Server.Settings;

/// <summary>Where settings come from; the later source wins: appsettings.json, environment variables, the command line.</summary>
internal static class SettingsSources
{
    /// <summary>A name for each source, in the order of the providers.</summary>
    public static readonly IReadOnlyList<string> Names = ["appsettings.json", "environment", "command line"];

    /// <summary>Reads the sources.</summary>
    /// <param name="file">The settings file; it may be missing, everything has a default or is asked for.</param>
    /// <param name="environment">Environment variables in .NET's form: <c>Smtp__Relays__0__Host</c>; also <c>Urls</c> and <c>ASPNETCORE_URLS</c>.</param>
    /// <param name="commandLine">Settings given as options.</param>
    /// <exception cref="SettingsException">The file is no regular one, or cannot be read as JSON; says where.</exception>
    public static IConfigurationRoot Read(string file, IReadOnlyDictionary<string, string> environment, IReadOnlyDictionary<string, string?> commandLine)
    {
        if (RegularFile.OtherAt(file) is { } other)
            throw new SettingsException([$"{file}: is {other}, and no regular file; put the file with the settings in its place, or remove it for the defaults."]);
        try
        {
            var bytes = File.Exists(file) ? File.ReadAllBytes(file) : "{}"u8.ToArray();
            RefuseOtherEncodings(file, bytes);
            using var stream = new MemoryStream(bytes);
            return new ConfigurationBuilder()
                .AddJsonStream(stream)
                .AddInMemoryCollection(FromEnvironment(environment))
                .AddInMemoryCollection(commandLine)
                .Build();
        }
        catch (Exception exception) when (exception is FormatException or JsonException)
        {
            throw new SettingsException([$"{file}: is not valid JSON{Place(exception)}. Comments (//) and commas at the end of a list are fine."], exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException([$"{file}: cannot be read: {exception.Message}"], exception);
        }
    }

    // Its reader would put U+FFFD in place of what it cannot read, and the newsletter's name would go out with that.
    private static void RefuseOtherEncodings(string file, ReadOnlySpan<byte> bytes)
    {
        if (Utf8.IsValid(bytes) || bytes is [0xFE, 0xFF, ..] or [0xFF, 0xFE, ..]) return;
        var at = 0;
        while (Rune.DecodeFromUtf8(bytes[at..], out _, out var length) == OperationStatus.Done) at += length;
        throw new SettingsException([$"{file}: is not UTF-8 at line {bytes[..at].Count((byte)'\n') + 1}; save it as UTF-8."]);
    }

    private static string Place(Exception exception) => (exception as JsonException ?? exception.InnerException as JsonException) switch
    {
        { LineNumber: { } line, BytePositionInLine: { } column } => $" at line {line + 1}, column {column + 1}",
        _ => $" ({exception.Message.TrimEnd('.')})",
    };

    private static Dictionary<string, string?> FromEnvironment(IReadOnlyDictionary<string, string> environment)
    {
        var settings = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        if (environment.TryGetValue("ASPNETCORE_URLS", out var urls)) settings["Urls"] = urls;
        foreach (var (name, value) in environment)
        {
            if (name.Equals("Urls", StringComparison.OrdinalIgnoreCase)) settings["Urls"] = value;
            else if (name.IndexOf("__", StringComparison.Ordinal) > 0) settings[name.Replace("__", ":", StringComparison.Ordinal)] = value;
        }
        return settings;
    }
}
