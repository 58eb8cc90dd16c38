using System.Globalization;
using System.Reflection;
using System.Text;
using Microsoft.AspNetCore.Razor.Language;
using Microsoft.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using RazorLight.Compilation;
using RazorLight.Extensions;
using RazorLight.Generation;
using RazorLight.Razor;

namespace WeeklyDigest.Rendering.Razor;

/// <summary>
/// Turns views into assemblies with RazorLight and the C# compiler. A process that does so once keeps some 150 MB of compiler: nothing
/// outside this file touches it, and the program runs this in a process of its own.
/// </summary>
public static class ViewCompiler
{
    private static readonly HashSet<string> Namespaces = ["System.Globalization", "WeeklyDigest.Rendering"];

    /// <summary>Compiles views one after the other; the results in the order of the texts.</summary>
    /// <param name="texts">Views, merge slots replaced by tokens.</param>
    /// <param name="cancel">Stops before the next one.</param>
    public static async Task<IReadOnlyList<CompiledView>> CompileAsync(IReadOnlyList<string> texts, CancellationToken cancel)
    {
        var generator = new RazorSourceGenerator(LanguageEngine(), new NoRazorProject(), Namespaces);
        var emitted = new Emitted();
        var compiler = new RoslynCompilationService(new RuntimeAssemblies(), typeof(ViewCompiler).Assembly, emitted);
        List<CompiledView> views = [];
        foreach (var text in texts)
        {
            cancel.ThrowIfCancellationRequested();
            views.Add(await CompileAsync(generator, compiler, text) ?? emitted.View);
        }
        return views;
    }

    // Null: it went well.
    private static async Task<CompiledView?> CompileAsync(RazorSourceGenerator generator, RoslynCompilationService compiler, string text)
    {
        try
        {
            compiler.CompileAndEmit(await generator.GenerateCodeAsync(new Item(text)));
            return null;
        }
        catch (TemplateCompilationException problem)
        {
            return Wrong(problem.CompilationDiagnostics.Select(error => At(error.LineSpan?.StartLinePosition, error.ErrorMessage)));
        }
        catch (TemplateGenerationException problem)
        {
            return Wrong(problem.Diagnostics.Select(error => At(error.Span.LineIndex, error.Span.CharacterIndex, error.GetMessage(CultureInfo.InvariantCulture))));
        }
    }

    private static CompiledView Wrong(IEnumerable<ViewError> errors) => new([], [], [.. errors.Distinct()]);

    private static ViewError At(Microsoft.CodeAnalysis.Text.LinePosition? place, string message) => At(place?.Line ?? 0, place?.Character ?? 0, message);

    // Counted from 0 there, and -1 is nowhere.
    private static ViewError At(int line, int column, string message) => new(Math.Max(line, 0) + 1, Math.Max(column, 0) + 1, message);

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

    // The bytes are what is wanted; that RazorLight loads them as well does no harm.
    private sealed class Emitted : IPrecompileCallback
    {
        public CompiledView View { get; private set; } = new([], [], []);

        public void Invoke(IGeneratedRazorTemplate generatedRazorTemplate, byte[] rawAssembly, byte[] rawSymbolStore)
            => View = new(rawAssembly, rawSymbolStore, []);
    }

    // The key is the name of the file in places, see ViewPage.
    private sealed class Item(string text) : RazorLightProjectItem
    {
        public override string Key { get; } = TemplateSource.HashOf(text);

        public override bool Exists => true;

        public override Stream Read() => new MemoryStream(Encoding.UTF8.GetBytes(text));
    }
}
