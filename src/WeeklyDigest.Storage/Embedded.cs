namespace WeeklyDigest.Storage;

/// <summary>The .sql files inside this assembly.</summary>
internal static class Embedded
{
    private const string Root = "WeeklyDigest.Storage.";

    /// <summary>The names of the files below a folder, such as <c>Sqlite.Queries.</c>, in order.</summary>
    public static IEnumerable<string> Under(string folder)
        => typeof(Embedded).Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Root + folder, StringComparison.Ordinal)).Order(StringComparer.Ordinal);

    /// <summary>The migrations of a kind of database, in order: <c>0001-what-it-does</c> and its statements.</summary>
    public static IEnumerable<(string Name, string Text)> Migrations(string kind)
    {
        var folder = kind + ".Migrations.";
        return Under(folder).Select(name => (name[(Root.Length + folder.Length)..^".sql".Length], Text(name)));
    }

    /// <summary>The text of an embedded file.</summary>
    public static string Text(string resource)
    {
        using var stream = typeof(Embedded).Assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"The assembly holds no {resource}.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
