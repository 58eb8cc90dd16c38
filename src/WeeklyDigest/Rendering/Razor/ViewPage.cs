using System.Diagnostics;
using System.Reflection;
using RazorLight;
using RazorLight.Razor;

namespace WeeklyDigest.Rendering.Razor;

/// <summary>The class of a compiled view, loaded into this process for good.</summary>
internal sealed class ViewPage
{
    private readonly Type type;

    private ViewPage(Type type) => this.type = type;

    /// <summary>Loads a compiled view.</summary>
    /// <returns>Null for bytes that are no compiled view.</returns>
    public static ViewPage? Load(CompiledView view)
    {
        try
        {
            var type = Assembly.Load(view.Assembly, view.Symbols).GetCustomAttribute<RazorLightTemplateAttribute>()?.TemplateType;
            return type is null ? null : new ViewPage(type);
        }
        catch (BadImageFormatException)
        {
            return null;
        }
    }

    /// <summary>Renders the view.</summary>
    /// <param name="view">Where it came from, for places.</param>
    /// <param name="model">The model.</param>
    /// <param name="plain">Whether the output is plain text: nothing is encoded. Else what it writes is HTML-encoded unless it is <see cref="Markup"/>.</param>
    /// <exception cref="TemplateException">It fails; with file, line and column.</exception>
    public async Task<string> RenderAsync(TemplateSource view, object model, bool plain)
    {
        try
        {
            return await WriteAsync(model, plain);
        }
        // The edge to code that editors write: whatever it throws is a problem of the template.
        catch (Exception problem) when (problem is not OutOfMemoryException)
        {
            var frame = new StackTrace(problem, fNeedFileInfo: true).GetFrames().FirstOrDefault(frame => frame.GetFileName() == view.Hash);
            throw TemplateException.At(view.Path, frame?.GetFileLineNumber() ?? 1, frame?.GetFileColumnNumber() ?? 1, $"fails: {problem.Message}", problem);
        }
    }

    // Not through RazorLight's engine, which brings the compilers along whether anything is left to be compiled or not.
    private async Task<string> WriteAsync(object model, bool plain)
    {
        var page = (ITemplatePage)Activator.CreateInstance(type)!;
        using var output = new StringWriter();
        page.DisableEncoding = plain;
        page.PageContext = new PageContext(viewBag: null) { Writer = output, Model = model };
        page.SetModel(model);
        await page.ExecuteAsync();
        return string.IsNullOrEmpty(page.Layout) ? output.ToString() : throw new InvalidOperationException("A view stands alone here; remove its Layout.");
    }
}
