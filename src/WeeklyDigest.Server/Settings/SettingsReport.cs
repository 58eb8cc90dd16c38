namespace WeeklyDigest.Server.Settings;

/// <summary>What reading the settings brought to light: the keys that exist, the values in force, the problems.</summary>
/// <param name="configuration">The sources.</param>
/// <param name="origins">A name for each of its providers, in their order.</param>
internal sealed class SettingsReport(IConfigurationRoot configuration, IReadOnlyList<string> origins)
{
    /// <summary>Stands for a secret wherever settings are shown.</summary>
    public const string Mask = "********";

    private readonly IConfigurationProvider[] providers = [.. configuration.Providers];
    private readonly List<string> problems = [];
    private readonly List<EffectiveSetting> effective = [];

    /// <summary>All problems so far.</summary>
    public IReadOnlyList<string> Problems => problems;

    /// <summary>All settings read so far.</summary>
    public IReadOnlyList<EffectiveSetting> Effective => effective;

    /// <summary>Notes a problem.</summary>
    public void Problem(string path, string message) => problems.Add($"{path}: {message}");

    /// <summary>Notes a value in force; a secret that is set is masked.</summary>
    public void Value(string path, object value, bool secret)
    {
        var shown = secret && value is not "" ? Mask : value;
        effective.Add(new EffectiveSetting(path, shown, OriginOf(path)));
    }

    /// <summary>The name of the source that the value of a key comes from.</summary>
    public string OriginOf(string path)
    {
        for (var i = providers.Length - 1; i >= 0; i--)
            if (providers[i].TryGet(path, out var value) && value is not null) return origins[i];
        return "default";
    }
}
