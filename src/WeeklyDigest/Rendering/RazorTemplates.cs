using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text;
using Microsoft.AspNetCore.Razor.Language;
using Microsoft.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using RazorLight;
using RazorLight.Caching;
using RazorLight.Compilation;
using RazorLight.Extensions;
using RazorLight.Generation;
using RazorLight.Razor;

namespace WeeklyDigest.Rendering;

/// <summary>Runs views with RazorLight, which nothing outside this file knows of.</summary>
/// <remarks>
/// RazorLight loads an assembly for every key and never lets go of it. The key is the hash of the view's text, and the engine is the
/// process's: a view is compiled once, however often it is rendered, and a changed file is compiled anew.
/// </remarks>
internal static class RazorTemplates
{
    private static readonly Views Known = new();
    private static readonly RazorLightEngine Engine = Build();

    /// <summary>Renders a view. What it writes is HTML-encoded unless it is <see cref="Markup"/>.</summary>
    /// <exception cref="TemplateException">It does not compile, or fails; with file, line and column.</exception>
    public static Task<string> RenderHtmlAsync<TModel>(TemplateSource view, TModel model) => RenderAsync(view, model, plain: false);

    /// <summary>Renders a view whose output is plain text: nothing is encoded.</summary>
    /// <exception cref="TemplateException">It does not compile, or fails; with file, line and column.</exception>
    public static Task<string> RenderTextAsync<TModel>(TemplateSource view, TModel model) => RenderAsync(view, model, plain: true);

    private static async Task<string> RenderAsync<TModel>(TemplateSource view, TModel model, bool plain)
    {
        var page = await CompileAsync(view);
        page.DisableEncoding = plain;
        try
        {
            return await Engine.RenderTemplateAsync(page, model);
        }
        // The edge to code that editors write: whatever it throws is a problem of the template.
        catch (Exception problem) when (problem is not OutOfMemoryException)
        {
            var frame = new StackTrace(problem, fNeedFileInfo: true).GetFrames().FirstOrDefault(frame => frame.GetFileName() == view.Hash);
            throw TemplateException.At(view.Path, frame?.GetFileLineNumber() ?? 1, frame?.GetFileColumnNumber() ?? 1, $"fails: {problem.Message}", problem);
        }
    }

    private static async Task<ITemplatePage> CompileAsync(TemplateSource view)
    {
        Known.Add(view);
        try
        {
            return await Engine.CompileTemplateAsync(view.Hash);
        }
        catch (TemplateCompilationException problem)
        {
            throw Errors(view, problem, problem.CompilationDiagnostics.Select(error => Place(error.LineSpan, error.ErrorMessage)));
        }
        catch (TemplateGenerationException problem)
        {
            throw Errors(view, problem, problem.Diagnostics.Select(error => (error.Span.LineIndex, error.Span.CharacterIndex, error.GetMessage(CultureInfo.InvariantCulture))));
        }
    }

    private static (int, int, string) Place(FileLinePositionSpan? span, string message)
        => span is { } place ? (place.StartLinePosition.Line, place.StartLinePosition.Character, message) : (0, 0, message);

    private static TemplateException Errors(TemplateSource view, Exception cause, IEnumerable<(int Line, int Column, string Message)> errors)
        => new(string.Join('\n', errors.Distinct().Select(error => $"{view.Path}({Math.Max(error.Line, 0) + 1},{Math.Max(error.Column, 0) + 1}): {error.Message}")), cause);

    private static RazorLightEngine Build()
    {
        var options = new RazorLightOptions { Namespaces = new HashSet<string> { "System.Globalization", "WeeklyDigest.Rendering" } };
        var compilation = new RoslynCompilationService(new RuntimeAssemblies(), typeof(RazorTemplates).Assembly);
        var generator = new RazorSourceGenerator(LanguageEngine(), Known, options.Namespaces);
        var compiler = new RazorTemplateCompiler(generator, compilation, Known, options);
        return new RazorLightEngine(new EngineHandler(options, compiler, new TemplateFactoryProvider(), new MemoryCachingProvider()));
    }

    // RazorLight keeps its Razor dialect to itself, but registers it for whoever uses dependency injection.
    private static RazorEngine LanguageEngine()
    {
        var services = new ServiceCollection();
        services.AddRazorLight();
        return (RazorEngine)services.Single(service => service.ServiceType == typeof(RazorEngine)).ImplementationInstance!;
    }

    /// <summary>
    /// The assemblies this process runs with are what views compile against. RazorLight's own way, the entry project's dependency file,
    /// fails wherever the program was not started from its build output.
    /// </summary>
    private sealed class RuntimeAssemblies : IMetadataReferenceManager
    {
        public HashSet<MetadataReference> AdditionalMetadataReferences { get; } = [];

        public IReadOnlyList<MetadataReference> Resolve(Assembly assembly)
            => [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
                .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
                .Select(path => MetadataReference.CreateFromFile(path))];
    }

    private sealed class Views : RazorLightProject
    {
        private readonly ConcurrentDictionary<string, TemplateSource> sources = new();

        public void Add(TemplateSource view) => sources.TryAdd(view.Hash, view);

        public override Task<RazorLightProjectItem> GetItemAsync(string templateKey)
            => Task.FromResult<RazorLightProjectItem>(new Item(sources[templateKey]));

        public override Task<IEnumerable<RazorLightProjectItem>> GetImportsAsync(string templateKey)
            => Task.FromResult(Enumerable.Empty<RazorLightProjectItem>());
    }

    private sealed class Item(TemplateSource view) : RazorLightProjectItem
    {
        public override string Key => view.Hash;

        public override bool Exists => true;

        public override Stream Read() => new MemoryStream(Encoding.UTF8.GetBytes(view.Text));
    }
}
