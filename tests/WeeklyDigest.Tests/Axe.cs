using System.Text.Json;
using Deque.AxeCore.Commons;
using Microsoft.Playwright;

namespace WeeklyDigest.Tests;

/// <summary>
/// What axe finds wrong with a page. It applies all of its rules and puts the answer together in the page itself: only what breaks a rule is
/// described and brought here, and no second page is opened for it, both of which take longer than looking.
/// </summary>
internal static class Axe
{
    private const string Run = """
        async ({ within, frames }) => {
          const found = await axe.run({ include: [within] }, { resultTypes: ['violations'], iframes: frames });
          return {
            passes: found.passes.length,
            violations: found.violations.flatMap(rule => rule.nodes.map(node => `${rule.id}: ${node.html} ${node.any.map(check => check.message).join(' ')}`)),
          };
        }
        """;

    private static readonly string Source = new BundledAxeScriptProvider().GetScript();

    /// <summary>Each violation's rule, element and reason.</summary>
    /// <param name="page">The page.</param>
    /// <param name="within">A selector, to look at this part alone.</param>
    /// <param name="frames">Whether to look into frames too.</param>
    public static async Task<IReadOnlyList<string>> ViolationsAsync(IPage page, string within = "html", bool frames = true)
    {
        await LoadAsync(page);
        if (frames) foreach (var frame in page.Frames.Where(frame => frame != page.MainFrame)) await frame.EvaluateAsync(Source);
        var found = await page.EvaluateAsync<JsonElement>(Run, new { within, frames });
        Assert.NotEqual(0, found.GetProperty("passes").GetInt32());
        return [.. found.GetProperty("violations").EnumerateArray().Select(violation => violation.GetString()!)];
    }

    // As the browser's own console does: faster than Playwright, which reads the whole script once more to see whether it is a function.
    private static async Task LoadAsync(IPage page)
    {
        var console = await page.Context.NewCDPSessionAsync(page);
        await console.SendAsync("Runtime.evaluate", new() { ["expression"] = Source });
        await console.DetachAsync();
    }
}
