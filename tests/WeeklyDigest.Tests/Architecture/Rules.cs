using Microsoft.CodeAnalysis;

namespace WeeklyDigest.Tests.Architecture;

/// <summary>A rule of the house, with a file that breaks it: a rule that cannot fail says nothing.</summary>
/// <param name="Name">The rule as a sentence.</param>
/// <param name="Breaches">Where a tree breaks it.</param>
/// <param name="Folder">Where the file that breaks it would stand.</param>
/// <param name="Breach">That file.</param>
internal sealed record Rule(string Name, Func<SourceTree, IEnumerable<string>> Breaches, string Folder, string Breach);

/// <summary>The arrows and habits that ARCHITECTURE.md promises.</summary>
internal static class Rules
{
    private const string Pipeline = "src/WeeklyDigest/";
    private const string Server = "src/WeeklyDigest.Server/";
    private const string Storage = "src/WeeklyDigest.Storage/";
    private const string JobStorage = "src/WeeklyDigest.JobStorage/";

    // Whoever configures Hangfire hands over no clock.
    private const string JobStorageDefaults = JobStorage + "SQLiteStorageOptions.cs";

    // The name that the package has for it.
    private const string PackageName = "SQLiteStorageExtensions";

    /// <summary>Stage, and what it may use beside itself, Merging and the root.</summary>
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["Merging"] = [],
        ["Issues"] = [],
        ["Rendering"] = ["Issues"],
        ["Audience"] = [],
        ["Deliveries"] = ["Audience"],
        ["Smtp"] = ["Deliveries", "Audience"],
        ["Feedback"] = ["Deliveries", "Audience", "Publishing"],
        ["Publishing"] = ["Rendering", "Issues", "Smtp", "Deliveries", "Audience", "Feedback"],
    };

    private static readonly string[] Drivers = ["Microsoft.Data.Sqlite", "SQLitePCL", "Npgsql", "Dapper", "DbUp"];

    // Razor's language and IHtmlContent are not the web: RazorLight needs them.
    private static readonly string[] Web = [.. new[] { "Http", "Builder", "Hosting", "Routing", "Authentication", "Antiforgery", "Mvc", "Server" }.Select(part => "Microsoft.AspNetCore." + part)];

    private static readonly string[] ForbiddenWords = ["Common", "Helper", "Helpers", "Util", "Utils", "Utilities", "Manager", "Managers", "Service", "Services", "Extensions"];

    private static readonly HashSet<string> InputAndOutput =
        ["File", "Directory", "FileInfo", "DirectoryInfo", "FileStream", "FileSystemWatcher", "DriveInfo", "Process", "Console", "Environment", "Dns", "HttpClient"];

    public static IReadOnlyList<Rule> All { get; } =
    [
        new("Each stage of the pipeline uses only the stages its arrow points to", tree => tree.Usages.Where(IsAgainstTheArrow).Select(Text),
            Pipeline + "Issues", "namespace WeeklyDigest.Issues; internal sealed class P { public object? O(WeeklyDigest.Deliveries.DeliveryId id) => id; }"),
        new("Feedback knows of Publishing the stores' contract only",
            tree => tree.Usages.Where(u => u.File.StartsWith(Pipeline + "Feedback/", StringComparison.Ordinal) && Stage(u.Namespace) == "Publishing"
                && !u.Type.EndsWith("Store", StringComparison.Ordinal) && u.Type is not ("Mailing" or "MailingState" or "RefusedException")).Select(Text),
            Pipeline + "Feedback", "namespace WeeklyDigest.Feedback; internal sealed class P { public object? O(WeeklyDigest.Publishing.DeliveryEngine engine) => engine; }"),
        new("The pipeline knows neither storage nor server", tree => tree.Usages
                .Where(u => u.File.StartsWith(Pipeline, StringComparison.Ordinal) && (IsIn(u, "WeeklyDigest.Storage") || IsIn(u, "WeeklyDigest.Server"))).Select(Text),
            Pipeline + "Publishing", "namespace WeeklyDigest.Publishing; internal sealed class P { public object? O(WeeklyDigest.Storage.Database d) => d; }"),
        new("The storage does not know the server", tree => tree.Usages
                .Where(u => u.File.StartsWith(Storage, StringComparison.Ordinal) && IsIn(u, "WeeklyDigest.Server")).Select(Text),
            Storage + "Sqlite", "namespace WeeklyDigest.Storage; internal sealed class P { public object? O() => typeof(WeeklyDigest.Server.Inbox.InboxServer); }"),
        new("The job storage knows nothing of ours", tree => tree.Usages
                .Where(u => u.File.StartsWith(JobStorage, StringComparison.Ordinal) && IsIn(u, "WeeklyDigest")).Select(Text),
            JobStorage + "Jobs", "namespace Hangfire.Storage.SQLite; internal sealed class P { public object? O() => typeof(WeeklyDigest.Issues.Issue); }"),
        OnlyIn("Hangfire is used in the server and the job storage only", [Server, JobStorage], Pipeline + "Publishing", "typeof(Hangfire.BackgroundJob)", "Hangfire"),
        OnlyIn("Web code stands in the server only", [Server], Storage, "typeof(Microsoft.AspNetCore.Http.HttpContext)", Web),
        OnlyIn("Database drivers are used in the storages only", [Storage, JobStorage], Server + "Jobs", "new Microsoft.Data.Sqlite.SqliteConnection()", Drivers),
        OnlyIn("MailKit is used in Smtp only", [Pipeline + "Smtp/"], Pipeline + "Publishing", "typeof(MailKit.Net.Smtp.SmtpClient)", "MailKit"),
        OnlyIn("Sockets are used in Smtp and the inbox only", [Pipeline + "Smtp/", Server + "Inbox/"], Pipeline + "Feedback", "typeof(System.Net.Sockets.Socket)", "System.Net.Sockets"),
        OnlyIn("RazorLight is used where views are compiled and run only", [Pipeline + "Rendering/Razor/"], Pipeline + "Rendering", "typeof(RazorLight.RazorLightEngine)", "RazorLight"),
        OnlyIn("The compilers are known to one file", [Pipeline + "Rendering/Razor/ViewCompiler.cs"], Pipeline + "Rendering/Razor", "typeof(Microsoft.CodeAnalysis.SyntaxTree)",
            "Microsoft.CodeAnalysis", "Microsoft.AspNetCore.Razor.Language", "RazorLight.Compilation", "RazorLight.Generation"),
        new("Issues, Audience and Deliveries do no input or output", tree => tree.Usages.Where(u => IsPure(u.File) && InputAndOutput.Contains(u.Type) && IsIn(u, "System")).Select(Text),
            Pipeline + "Issues", "namespace WeeklyDigest.Issues; internal sealed class P { public string O() => File.ReadAllText(\"x\"); }"),
        new("The pipeline and the storages read no clock but the one they are given",
            tree => tree.Usages.Where(u => !u.File.StartsWith(Server, StringComparison.Ordinal) && u.File != JobStorageDefaults && u is { Namespace: "System", Type: "TimeProvider", Member: "System" }
                or { Namespace: "System.Diagnostics", Type: "Stopwatch" }).Select(Text),
            Pipeline + "Deliveries", "namespace WeeklyDigest.Deliveries; internal sealed class P { public object O() => TimeProvider.System.GetUtcNow(); }"),
        new("An interface inverts an assembly arrow: another project implements it", tree => tree.Types
                .Where(type => type.TypeKind == TypeKind.Interface && !tree.AllTypes.Any(other => other.AllInterfaces.Contains(type, SymbolEqualityComparer.Default)
                    && SourceTree.ProjectOf(other) != SourceTree.ProjectOf(type))).Select(type => type.ToDisplayString()),
            Pipeline + "Issues", "namespace WeeklyDigest.Issues; internal interface IP; internal sealed class P : IP;"),
        new("A class is sealed, static or abstract", tree => tree.Types
                .Where(type => type is { TypeKind: TypeKind.Class, IsSealed: false, IsAbstract: false, IsStatic: false }).Select(type => type.ToDisplayString()),
            Pipeline + "Issues", "namespace WeeklyDigest.Issues; internal class P;"),
        new("No type and no folder has a name that says nothing", tree => tree.Types
                .Where(type => type.Name != PackageName && ForbiddenWords.Any(word => type.Name.EndsWith(word, StringComparison.Ordinal))).Select(type => type.ToDisplayString())
                .Concat(tree.Files.Select(file => file.FilePath).Where(path => path.Split('/').SkipLast(1).Any(ForbiddenWords.Contains))),
            Pipeline + "Helpers", "namespace WeeklyDigest.Issues; internal sealed class IssueManager;"),
        new("Nothing is left to be built", tree => tree.Usages.Where(u => u is { Namespace: "System", Type: "NotImplementedException" }).Select(Text),
            Pipeline + "Issues", "namespace WeeklyDigest.Issues; internal sealed class P { public void O() => throw new NotImplementedException(); }"),
    ];

    private static Rule OnlyIn(string name, string[] folders, string breachFolder, string breach, params string[] namespaces)
        => new(
            name,
            tree => tree.Usages.Where(u => namespaces.Any(space => IsIn(u, space)) && !folders.Any(folder => u.File.StartsWith(folder, StringComparison.Ordinal))).Select(Text),
            breachFolder,
            $"namespace WeeklyDigest.Planted; internal sealed class P {{ public object? O() => {breach}; }}");

    private static bool IsAgainstTheArrow(Usage usage)
    {
        var from = usage.File.StartsWith(Pipeline, StringComparison.Ordinal) ? usage.File[Pipeline.Length..].Split('/')[0] : "";
        var to = Stage(usage.Namespace);
        return Arrows.TryGetValue(from, out var allowed) && to.Length > 0 && to != from && to != "Merging" && !allowed.Contains(to);
    }

    /// <summary>The stage of one of our namespaces; empty for the root and for what is not ours.</summary>
    private static string Stage(string space) => space.StartsWith("WeeklyDigest.", StringComparison.Ordinal) ? space.Split('.')[1] : "";

    private static bool IsIn(Usage usage, string space)
        => usage.Namespace == space || usage.Namespace.StartsWith(space + ".", StringComparison.Ordinal);

    private static bool IsPure(string file)
        => new[] { "Issues/", "Audience/", "Deliveries/", "Merging/" }.Any(stage => file.StartsWith(Pipeline + stage, StringComparison.Ordinal));

    private static string Text(Usage usage) => usage.ToString();
}
