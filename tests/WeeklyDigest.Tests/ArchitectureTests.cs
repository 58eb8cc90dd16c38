using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using WeeklyDigest.Tests.Architecture;
using WeeklyDigest.Tests.Smtp.Postfix;

namespace WeeklyDigest.Tests;

/// <summary>Holds the code to ARCHITECTURE.md and CONTRIBUTING.md. Each rule is also shown a file that breaks it, so that none can pass by being blind.</summary>
public sealed partial class ArchitectureTests
{
    private const int LongestFile = 300;
    private const int LongestMethod = 80;

    private static readonly string[] Folders = ["src", "tests"];

    public static TheoryData<string> RuleNames => new(Rules.All.Select(rule => rule.Name));

    [Theory]
    [MemberData(nameof(RuleNames))]
    public void Holds(string rule) => None(Rules.All.Single(r => r.Name == rule).Breaches(SourceTree.Ours));

    [Theory]
    [MemberData(nameof(RuleNames))]
    public void Would_notice(string rule)
    {
        var (_, breaches, folder, breach) = Rules.All.Single(r => r.Name == rule);
        Assert.NotEmpty(breaches(SourceTree.Ours.With(folder, breach)));
    }

    [Fact]
    public void The_compiler_understood_our_code()
    {
        Assert.True(SourceTree.Ours.Files.Count > 50);
        Assert.Contains(SourceTree.Ours.Usages, usage => usage is { Namespace: "MailKit.Net.Smtp", Type: "SmtpClient" });
        Assert.Contains(SourceTree.Ours.Usages, usage => usage is { Namespace: "Microsoft.Data.Sqlite", Type: "SqliteConnection" });
        Assert.Contains(SourceTree.Ours.Usages, usage => usage.Namespace == "RazorLight");
    }

    [Theory]
    [InlineData("WeeklyDigest", "")]
    [InlineData("WeeklyDigest.Storage", "WeeklyDigest")]
    [InlineData("WeeklyDigest.JobStorage", "")]
    [InlineData("WeeklyDigest.Server", "WeeklyDigest WeeklyDigest.JobStorage WeeklyDigest.Storage")]
    public void Projects_refer_to_each_other_along_the_arrows(string project, string expected)
    {
        var file = XDocument.Load(Path.Combine(Workspace.RepositoryRoot, "src", project, project + ".csproj"));
        var references = file.Descendants("ProjectReference").Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value.Replace('\\', '/')));
        Assert.Equal(expected, string.Join(' ', references.Order(StringComparer.Ordinal)));
    }

    [Theory]
    [InlineData("linux-x64")]
    [InlineData("")]
    public async Task The_build_with_the_package_keeps_its_lock_file_among_what_is_built(string platform)
    {
        var project = Path.Combine(Workspace.RepositoryRoot, "src", "WeeklyDigest.Server");
        string[] question = ["msbuild", project, "-p:HangfireSQLitePackage=true", $"-p:RuntimeIdentifier={platform}", "-getProperty:NuGetLockFilePath"];
        var file = Encoding.UTF8.GetString(await Command.RunAsync("dotnet", question, cancel: TestContext.Current.CancellationToken)).Trim();
        Assert.Equal(Path.Combine(project, "obj"), Path.GetDirectoryName(file));
    }

    [Theory]
    [InlineData("WeeklyDigest.Pipeline", @"^(WeeklyDigest|Hangfire|Microsoft\.AspNetCore\.(?!Html|Razor)|Microsoft\.Data|Npgsql|Dapper|dbup)")]
    [InlineData("WeeklyDigest.Storage", @"^(weeklydigest$|Hangfire|Microsoft\.AspNetCore|MailKit|MimeKit|RazorLight|Markdig)")]
    [InlineData("WeeklyDigest.JobStorage", @"^(?!Hangfire\.Core$|Microsoft\.Data\.Sqlite$|SQLitePCLRaw|System\.|netstandard)")]
    // Npgsql is named in the signature of Hangfire.PostgreSql's constructor; that no code of ours uses it is a rule of its own.
    [InlineData("weeklydigest", @"^(Microsoft\.Data|Dapper|dbup|RazorLight|MailKit|Markdig)")]
    public void Built_assemblies_hold_no_other_references(string assembly, string forbidden)
        => Assert.DoesNotContain(Assembly.Load(assembly).GetReferencedAssemblies(), reference => Regex.IsMatch(reference.Name!, forbidden));

    [Fact]
    public void No_file_is_over_300_lines()
    {
        var files = Folders.SelectMany(CodeMeasures.Read).Select(CodeMeasures.File).ToList();
        Print("files", files.Where(file => file.Where.StartsWith("src", StringComparison.Ordinal)).Select(file => file.Lines));
        None(files.Where(file => file.Lines > LongestFile).Select(file => $"{file.Where}: {file.Lines} lines"));
        Assert.Equal(301, CodeMeasures.File(CodeMeasures.Parse(new string('\n', 300))).Lines);
    }

    [Fact]
    public void No_method_is_over_80_lines()
    {
        var methods = Folders.SelectMany(CodeMeasures.Read).SelectMany(CodeMeasures.Methods).ToList();
        Print("methods", methods.Where(method => method.Where.StartsWith("src", StringComparison.Ordinal)).Select(method => method.Lines));
        None(methods.Where(method => method.Lines > LongestMethod).Select(method => $"{method.Where}: {method.Lines} lines"));
        var planted = CodeMeasures.Parse("class C { void M()\n{" + new string('\n', 80) + "} }");
        Assert.Equal(82, Assert.Single(CodeMeasures.Methods(planted)).Lines);
    }

    [Fact]
    public void No_view_style_or_query_file_is_over_300_lines()
    {
        var files = from folder in new[] { "src", "templates" }
                    from path in Directory.EnumerateFiles(Path.Combine(Workspace.RepositoryRoot, folder), "*", SearchOption.AllDirectories)
                    where Path.GetExtension(path) is ".cshtml" or ".css" or ".sql" && !BuildOutput().IsMatch(path)
                    select (path, File.ReadLines(path).Count());
        Assert.NotEmpty(files);
        None(files.Where(file => file.Item2 > LongestFile).Select(file => $"{file.path}: {file.Item2} lines"));
    }

    [Fact]
    public void No_file_names_a_place_on_somebodys_machine()
    {
        var files = from path in Directory.EnumerateFiles(Workspace.RepositoryRoot, "*", SearchOption.AllDirectories)
                    where Path.GetExtension(path) is ".cs" or ".md" or ".json" or ".csproj" or ".props" or ".cshtml" or ".sql" or ".txt" or "" && !BuildOutput().IsMatch(path)
                    from place in SomebodysMachine().Matches(File.ReadAllText(path))
                    select $"{path}: {place.Value}";
        None(files);
        Assert.Matches(SomebodysMachine(), "see /" + "home/jo/digest");
    }

    private static void None(IEnumerable<string> breaches)
    {
        var all = breaches.Distinct().Order(StringComparer.Ordinal).ToList();
        Assert.True(all.Count == 0, string.Join('\n', all));
    }

    private static void Print(string what, IEnumerable<int> lines)
    {
        var all = lines.ToList();
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{all.Count} {what}: median {CodeMeasures.Quantile(all, 0.5)} lines, 95 % up to {CodeMeasures.Quantile(all, 0.95)}, longest {all.Max()}");
    }

    [GeneratedRegex(@"[/\\](bin|obj|\.git|data|TestResults|node_modules)([/\\]|$)")]
    private static partial Regex BuildOutput();

    [GeneratedRegex(@"(?<![\w.}])/(home|Users|work)/\w+|[A-Z]:\\Users\\\w+")]
    private static partial Regex SomebodysMachine();
}
