using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using AngleSharp.Html.Parser;
using WeeklyDigest.Issues;
using WeeklyDigest.Merging;
using WeeklyDigest.Rendering.Razor;

namespace WeeklyDigest.Rendering;

/// <summary>Renders issues through the templates folder: Markdig, RazorLight, inlined CSS, text part; slots kept.</summary>
/// <param name="templatesFolder">Where issue.cshtml, issue.text.cshtml and styles.css stand.</param>
/// <param name="views">Compiles the views, or finds them compiled.</param>
public sealed class IssueRenderer(string templatesFolder, ViewLibrary views)
{
    private const string Page = "issue.cshtml";
    private const string Text = "issue.text.cshtml";
    private const string Styles = "styles.css";

    private static readonly MergeValues Fallbacks = new(null, "", new Dictionary<string, string>(), "");

    /// <summary>Renders the e-mail. Deterministic: the same issue, newsletter, date and templates give the same bytes.</summary>
    /// <param name="issue">The issue.</param>
    /// <param name="newsletter">The identity.</param>
    /// <param name="date">The date shown when the issue has none.</param>
    /// <param name="cancel">Stops waiting.</param>
    /// <exception cref="TemplateException">A template does not compile, fails, or holds an unknown slot; says the file, line and column.</exception>
    public async Task<RenderedEmail> RenderAsync(Issue issue, Newsletter newsletter, DateOnly date, CancellationToken cancel)
    {
        var view = new IssueViewBuilder(issue, newsletter, date, web: false).Build();
        var subject = PlacedSlots.TextTemplate(view.Subject, new SlotTable(issue.SlotTable, TemplateSource.None));
        var sources = await ReadAsync([Page, Text, Styles], cancel);
        var (page, plain, styles) = (sources[0], sources[1], sources[2]);
        // Both at once: starting the compiler is most of what it costs.
        var ready = await views.PagesAsync([page, plain], cancel);
        var html = await HtmlAsync(issue, view, page, ready[0], styles, cancel);
        var text = await TextAsync(issue, view, plain, ready[1]);
        return new RenderedEmail(subject, html, text, RenderedHash.Of(subject, html, text));
    }

    /// <summary>Renders the archive page: the same template with slots at their fallbacks and without the recipient's footer.</summary>
    /// <param name="issue">The issue.</param>
    /// <param name="newsletter">The identity.</param>
    /// <param name="date">The date shown when the issue has none.</param>
    /// <param name="cancel">Stops waiting.</param>
    /// <exception cref="TemplateException">A template does not compile, fails, or holds an unknown slot; says the file, line and column.</exception>
    public async Task<string> RenderWebAsync(Issue issue, Newsletter newsletter, DateOnly date, CancellationToken cancel)
    {
        var view = new IssueViewBuilder(issue, newsletter, date, web: true).Build();
        var sources = await ReadAsync([Page, Styles], cancel);
        var (page, styles) = (sources[0], sources[1]);
        var ready = await views.PagesAsync([page], cancel);
        return (await HtmlAsync(issue, view, page, ready[0], styles, cancel)).Fill(Fallbacks);
    }

    /// <summary>A hash of everything a rendering depends on, this program included. Where it is the same, so is the rendering; and it costs no compiling of templates.</summary>
    /// <param name="issue">The issue.</param>
    /// <param name="newsletter">The identity.</param>
    /// <param name="date">The date shown when the issue has none.</param>
    /// <param name="cancel">Stops.</param>
    /// <exception cref="TemplateException">A template cannot be read.</exception>
    public async Task<string> SourceHashAsync(Issue issue, Newsletter newsletter, DateOnly date, CancellationToken cancel)
    {
        var program = typeof(IssueRenderer).Module.ModuleVersionId.ToString();
        var templates = await TemplateSource.ReadAllAsync(new[] { Page, Text, Styles }.Select(file => ReadPlainAsync(file, cancel)));
        List<string> sources = [program, issue.Hash, newsletter.ToString(), date.ToString("O", CultureInfo.InvariantCulture), .. templates.Select(file => file.Hash)];
        return Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(sources)));
    }

    private Task<IReadOnlyList<TemplateSource>> ReadAsync(IReadOnlyList<string> files, CancellationToken cancel)
        => TemplateSource.ReadAllAsync(files.Select(file => file == Styles ? ReadPlainAsync(file, cancel) : TemplateSource.ReadViewAsync(Path.Combine(templatesFolder, file), cancel)));

    private Task<TemplateSource> ReadPlainAsync(string file, CancellationToken cancel) => TemplateSource.ReadPlainAsync(Path.Combine(templatesFolder, file), cancel);

    private static async Task<MergeTemplate> HtmlAsync(Issue issue, IssueView view, TemplateSource template, ViewPage page, TemplateSource styles, CancellationToken cancel)
    {
        var slots = new SlotTable(issue.SlotTable, template);
        using var document = await new HtmlParser().ParseDocumentAsync(await page.RenderAsync(template, view, plain: false), cancel);
        new CssInliner(StyleSheet.Parse(styles)).Inline(document);
        new SlotPlaces(slots, template.Path, view.Web).Place(document);
        return PlacedSlots.HtmlTemplate(HtmlWriter.Write(document), slots);
    }

    private static async Task<MergeTemplate> TextAsync(Issue issue, IssueView view, TemplateSource template, ViewPage page)
        => PlacedSlots.TextTemplate(TextWrap.Tidy(await page.RenderAsync(template, view, plain: true)), new SlotTable(issue.SlotTable, template));
}
