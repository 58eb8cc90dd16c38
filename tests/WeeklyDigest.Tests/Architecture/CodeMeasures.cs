using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace WeeklyDigest.Tests.Architecture;

/// <summary>Lengths of files and methods, in lines.</summary>
internal static class CodeMeasures
{
    /// <summary>A method, constructor, accessor with a body, operator or local function, with its lines from name to closing brace.</summary>
    public static IEnumerable<(string Where, int Lines)> Methods(SyntaxTree tree)
        => from node in tree.GetRoot().DescendantNodes()
           where node is BaseMethodDeclarationSyntax or LocalFunctionStatementSyntax or AccessorDeclarationSyntax { Body: not null }
           let span = tree.GetLineSpan(node.Span)
           select ($"{tree.FilePath}:{span.StartLinePosition.Line + 1}", span.EndLinePosition.Line - span.StartLinePosition.Line + 1);

    public static (string Where, int Lines) File(SyntaxTree tree) => (tree.FilePath, tree.GetText().Lines.Count);

    /// <summary>A file that is not on disk.</summary>
    public static SyntaxTree Parse(string code) => CSharpSyntaxTree.ParseText(code);

    /// <summary>The value that so much of the others do not exceed; 0.5 is the median.</summary>
    public static int Quantile(IEnumerable<int> values, double part)
    {
        var sorted = values.Order().ToList();
        return sorted.Count == 0 ? 0 : sorted[(int)Math.Min(sorted.Count - 1, sorted.Count * part)];
    }

    /// <summary>All C# files under a folder of the clone.</summary>
    public static IEnumerable<SyntaxTree> Read(string folder)
        => from path in Directory.EnumerateFiles(Path.Combine(Workspace.RepositoryRoot, folder), "*.cs", SearchOption.AllDirectories)
           let name = Path.GetRelativePath(Workspace.RepositoryRoot, path).Replace('\\', '/')
           where !name.Contains("/obj/", StringComparison.Ordinal) && !name.Contains("/bin/", StringComparison.Ordinal)
           select CSharpSyntaxTree.ParseText(System.IO.File.ReadAllText(path), path: name);
}
