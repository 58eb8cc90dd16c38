using Cronos;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Smtp;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Server.Settings;

/// <summary>All settings of an installation, checked: whoever holds one need not look at a value twice. appsettings.json is their manual.</summary>
internal sealed record ServerSettings
{
    /// <summary>The installation's folder: relative paths count from here.</summary>
    public required string Root { get; init; }

    /// <summary>The appsettings.json in use.</summary>
    public required string File { get; init; }

    /// <summary>Who publishes.</summary>
    public required Newsletter Newsletter { get; init; }

    /// <summary>When the weekly job runs.</summary>
    public required ScheduleSettings Schedule { get; init; }

    /// <summary>The relays; empty: the built-in inbox receives.</summary>
    public required IReadOnlyList<RelayOptions> Relays { get; init; }

    /// <summary>What signs messages; null: they go out unsigned.</summary>
    public required DkimSigner? Dkim { get; init; }

    /// <summary>Claims and retries.</summary>
    public required DeliveryOptions Delivery { get; init; }

    /// <summary>The database; paths in it are absolute.</summary>
    public required StorageOptions Storage { get; init; }

    /// <summary>Background jobs.</summary>
    public required JobsSettings Jobs { get; init; }

    /// <summary>Folders, absolute.</summary>
    public required PathsSettings Paths { get; init; }

    /// <summary>The built-in inbox.</summary>
    public required InboxSettings Inbox { get; init; }

    /// <summary>Who may sign in to the editor's side.</summary>
    public required EditorsSettings Editors { get; init; }

    /// <summary>What the web server listens on; at least one.</summary>
    public required IReadOnlyList<string> Urls { get; init; }

    /// <summary>Every setting with its value and where that came from, in the order of the manual.</summary>
    public required IReadOnlyList<EffectiveSetting> Effective { get; init; }

    /// <summary>What was read, for .NET's own sections (Logging, Kestrel). Holds secrets.</summary>
    public required IConfiguration Configuration { get; init; }
}

/// <summary>When the weekly job runs.</summary>
/// <param name="Cron">Five fields: minute, hour, day of month, month, day of week.</param>
/// <param name="TimeZone">The zone the fields are in.</param>
internal sealed record ScheduleSettings(string Cron, TimeZoneInfo TimeZone)
{
    /// <summary>Why a text is no schedule, and what to write; else null.</summary>
    public static string? ProblemOfCron(string text)
    {
        if (!CronExpression.TryParse(text, CronFormat.Standard, out var cron))
            return "is not a schedule; write five fields (minute hour day month weekday), such as 0 9 * * 1 for Mondays at 9:00, or @weekly.";
        // The calendar repeats itself, so that it does not matter from where on there is none.
        return cron.GetNextOccurrence(DateTime.UnixEpoch) is null ? "is a day that never comes; write a day that the month has, such as 0 9 1 * * for the first of each month at 9:00." : null;
    }

    /// <summary>Why a text is no time zone, and what to write; else null.</summary>
    public static string? ProblemOfZone(string text) => TimeZoneInfo.TryFindSystemTimeZoneById(text, out _)
        ? null : "is not a time zone known to this machine; write one such as Europe/Berlin or UTC.";
}

/// <summary>Background jobs.</summary>
/// <param name="Workers">Jobs run at once by this process, 0 to 100; with 0 it only joins mailings that others send.</param>
internal sealed record JobsSettings(int Workers);

/// <summary>Folders, absolute.</summary>
/// <param name="Issues">One .md file per issue.</param>
/// <param name="Templates">Razor templates and styles.css; exists.</param>
/// <param name="Subscribers">One .csv file per list.</param>
/// <param name="Data">The database, and the built-in inbox in <c>inbox</c>.</param>
internal sealed record PathsSettings(string Issues, string Templates, string Subscribers, string Data)
{
    /// <summary>Compiled templates.</summary>
    public string TemplateCache { get; init; } = CacheIn(Data);

    /// <summary>Where the built-in inbox keeps its messages.</summary>
    public string Inbox => Path.Combine(Data, "inbox");

    /// <summary>Where Hangfire keeps its jobs.</summary>
    public string Jobs => Path.Combine(Data, "jobs.db");

    /// <summary>Where compiled templates are kept when nothing else is said.</summary>
    public static string CacheIn(string data) => Path.Combine(data, "compiled-templates");
}

/// <summary>The built-in inbox.</summary>
/// <param name="Port">Its SMTP port on 127.0.0.1; 0: a free one.</param>
/// <param name="TakesAll">Whether it may take what is sent from a ledger that was sent from over a relay before.</param>
internal sealed record InboxSettings(int Port, bool TakesAll);

/// <summary>Who may sign in to the editor's side, beside the holder of the sign-in link.</summary>
/// <param name="Users">People with a password.</param>
/// <param name="OpenIdConnect">A sign-in service, or null.</param>
internal sealed record EditorsSettings(IReadOnlyList<EditorUser> Users, OpenIdConnectSettings? OpenIdConnect);

/// <summary>An editor who signs in with a password.</summary>
/// <param name="Name">What is typed as user name; unique without regard to case.</param>
/// <param name="PasswordHash">The hash of the password; a secret.</param>
internal sealed record EditorUser(string Name, string PasswordHash);

/// <summary>A sign-in service (OpenID Connect).</summary>
/// <param name="Authority">Its https address.</param>
/// <param name="ClientId">Our name there.</param>
/// <param name="ClientSecret">Our secret there.</param>
/// <param name="Emails">The addresses that may enter; at least one: an account at the service is not enough.</param>
internal sealed record OpenIdConnectSettings(Uri Authority, string ClientId, string ClientSecret, IReadOnlyList<string> Emails);

/// <summary>A setting as it is in force.</summary>
/// <param name="Path">Section and key, such as <c>Smtp:Relays:0:Port</c>.</param>
/// <param name="Value">A string, long, double or bool, or an empty array; <c>********</c> for a secret that is set.</param>
/// <param name="Origin">Where it came from: appsettings.json, environment, command line, or default.</param>
internal sealed record EffectiveSetting(string Path, object Value, string Origin);
