using System.Collections.Concurrent;

namespace WeeklyDigest.Rendering.Razor;

/// <summary>Views ready to run: from this process's memory, else from the folder of compiled views, else compiled.</summary>
/// <param name="cacheFolder">Where compiled views are kept, see <see cref="ViewCache"/>; null: nowhere.</param>
/// <param name="compile">Compiles what is neither here nor there.</param>
public sealed class ViewLibrary(string? cacheFolder, CompileViews compile)
{
    // A process never lets go of an assembly, so what is loaded is the process's: a view once, however many renderers there are.
    private static readonly ConcurrentDictionary<string, ViewPage> Loaded = new();
    private static readonly SemaphoreSlim Turn = new(1, 1);

    private readonly ViewCache? cache = cacheFolder is null ? null : new ViewCache(cacheFolder);

    /// <summary>Compiles in this process and keeps nothing.</summary>
    public static ViewLibrary InProcess { get; } = new(null, ViewCompiler.CompileAsync);

    /// <summary>The pages of views, in their order.</summary>
    /// <exception cref="TemplateException">Views do not compile; all errors, each with file, line and column.</exception>
    internal async Task<IReadOnlyList<ViewPage>> PagesAsync(IReadOnlyList<TemplateSource> views, CancellationToken cancel)
    {
        if (!views.All(IsLoaded))
        {
            // One at a time: who waited finds what was compiled meanwhile.
            await Turn.WaitAsync(cancel);
            try
            {
                var missing = views.DistinctBy(view => view.Hash).Where(view => !IsLoaded(view) && !TryLoad(view, cache?.Find(view))).ToList();
                if (missing.Count > 0) await CompileAsync(missing, cancel);
            }
            finally
            {
                Turn.Release();
            }
        }
        return [.. views.Select(view => Loaded[view.Hash])];
    }

    private async Task CompileAsync(IReadOnlyList<TemplateSource> views, CancellationToken cancel)
    {
        var results = views.Zip(await compile([.. views.Select(view => view.Text)], cancel)).ToList();
        foreach (var (view, compiled) in results.Where(result => result.Second.Errors.Count == 0))
        {
            if (!TryLoad(view, compiled)) throw new TemplateException($"The compiler made no view of {view.Path}; check that the program's files are complete.");
            cache?.Keep(view, compiled);
        }
        var errors = results.SelectMany(result => result.Second.Errors.Select(error => $"{result.First.Path}({error.Line},{error.Column}): {error.Message}")).ToList();
        if (errors.Count > 0) throw new TemplateException(string.Join('\n', errors));
    }

    private static bool IsLoaded(TemplateSource view) => Loaded.ContainsKey(view.Hash);

    private static bool TryLoad(TemplateSource view, CompiledView? compiled)
    {
        if (compiled is null || ViewPage.Load(compiled) is not { } page) return false;
        Loaded[view.Hash] = page;
        return true;
    }
}
