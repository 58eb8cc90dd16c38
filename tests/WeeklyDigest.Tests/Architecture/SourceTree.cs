using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace WeeklyDigest.Tests.Architecture;

/// <summary>A place in our code that uses a type, however it got there: a using, a full name, a variable's inferred type.</summary>
/// <param name="File">Path from the top of the clone, with slashes.</param>
/// <param name="Line">Counted from 1.</param>
/// <param name="Namespace">The used type's namespace.</param>
/// <param name="Type">The used type's name without its namespace.</param>
/// <param name="Member">The used member, or empty.</param>
internal sealed record Usage(string File, int Line, string Namespace, string Type, string Member)
{
    public override string ToString() => $"{File}:{Line} uses {Namespace}.{Type}{(Member.Length > 0 ? "." + Member : "")}";
}

/// <summary>Everything under <c>src/</c>, read by the compiler, so that a rule sees what the code means and not how it is spelled.</summary>
internal sealed class SourceTree
{
    private static readonly string[] ImplicitUsings =
    [
        "System", "System.Collections.Generic", "System.IO", "System.Linq", "System.Net.Http", "System.Net.Http.Json", "System.Threading",
        "System.Threading.Tasks", "Microsoft.AspNetCore.Builder", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Http",
        "Microsoft.AspNetCore.Routing", "Microsoft.Extensions.Configuration", "Microsoft.Extensions.DependencyInjection",
        "Microsoft.Extensions.Hosting", "Microsoft.Extensions.Logging",
    ];

    private static readonly Lazy<SourceTree> OnDisk = new(Read);

    private readonly CSharpCompilation compilation;
    private readonly Lazy<IReadOnlyList<Usage>> usages;

    private SourceTree(CSharpCompilation compilation, IReadOnlyList<SyntaxTree> files)
    {
        this.compilation = compilation;
        Files = files;
        usages = new(() => [.. Files.SelectMany(UsagesIn)]);
    }

    /// <summary>The code of this clone; read once.</summary>
    public static SourceTree Ours => OnDisk.Value;

    /// <summary>Only the planted file, when one was planted; else all.</summary>
    public IReadOnlyList<SyntaxTree> Files { get; }

    public IReadOnlyList<Usage> Usages => usages.Value;

    /// <summary>The same code with one more file in a folder such as <c>src/WeeklyDigest/Issues</c>; rules then look at that file only.</summary>
    public SourceTree With(string folder, string code)
    {
        var planted = CSharpSyntaxTree.ParseText(code, path: $"{folder}/Planted.cs");
        return new(compilation.AddSyntaxTrees(planted), [planted]);
    }

    /// <summary>Types declared in <see cref="Files"/>.</summary>
    public IEnumerable<INamedTypeSymbol> Types
        => from tree in Files
           let model = compilation.GetSemanticModel(tree)
           from declaration in tree.GetRoot().DescendantNodes().OfType<BaseTypeDeclarationSyntax>()
           select model.GetDeclaredSymbol(declaration)!;

    /// <summary>All our types, planted or not.</summary>
    public IEnumerable<INamedTypeSymbol> AllTypes
        => from tree in compilation.SyntaxTrees
           let model = compilation.GetSemanticModel(tree)
           from declaration in tree.GetRoot().DescendantNodes().OfType<BaseTypeDeclarationSyntax>()
           select model.GetDeclaredSymbol(declaration)!;

    /// <summary>The folder of the project a type is declared in, such as <c>src/WeeklyDigest</c>.</summary>
    public static string ProjectOf(INamedTypeSymbol type) => string.Join('/', type.DeclaringSyntaxReferences[0].SyntaxTree.FilePath.Split('/').Take(2));

    private static SourceTree Read()
    {
        var src = Path.Combine(Workspace.RepositoryRoot, "src");
        var files = (from path in Directory.EnumerateFiles(src, "*.cs", SearchOption.AllDirectories)
                    let name = Path.GetRelativePath(Workspace.RepositoryRoot, path).Replace('\\', '/')
                    where !name.Contains("/obj/", StringComparison.Ordinal) && !name.Contains("/bin/", StringComparison.Ordinal)
                    select CSharpSyntaxTree.ParseText(File.ReadAllText(path), path: name)).ToList();
        var usings = CSharpSyntaxTree.ParseText(string.Concat(ImplicitUsings.Select(name => $"global using {name};\n")));
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => !Path.GetFileName(path).StartsWith("weeklydigest", StringComparison.OrdinalIgnoreCase))
            .Select(path => MetadataReference.CreateFromFile(path));
        return new SourceTree(CSharpCompilation.Create("ours", [usings, .. files], references, new(OutputKind.ConsoleApplication)), files);
    }

    private IEnumerable<Usage> UsagesIn(SyntaxTree tree)
    {
        var model = compilation.GetSemanticModel(tree);
        foreach (var name in tree.GetRoot().DescendantNodes().OfType<SimpleNameSyntax>())
        {
            var info = model.GetSymbolInfo(name);
            var symbol = info.Symbol ?? info.CandidateSymbols.FirstOrDefault();
            if ((symbol as INamedTypeSymbol ?? symbol?.ContainingType) is { TypeKind: not TypeKind.Error } type && symbol is not ILocalSymbol)
            {
                var line = tree.GetLineSpan(name.Span).StartLinePosition.Line + 1;
                yield return new Usage(tree.FilePath, line, type.ContainingNamespace.ToDisplayString(), type.Name, symbol is INamedTypeSymbol ? "" : symbol!.Name);
            }
        }
    }
}
