namespace WeeklyDigest.Storage.Sqlite;

/// <summary>The .sql files inside this assembly.</summary>
internal static class Embedded
{
    /// <summary>The text of an embedded file.</summary>
    public static string Text(string resource)
    {
        using var stream = typeof(Embedded).Assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"The assembly holds no {resource}.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
