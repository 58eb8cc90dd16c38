using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace WeeklyDigest.Tests;

/// <summary>What axe finds wrong with a page. It applies all of its rules, but describes only what breaks one: describing all the rest takes most of its time.</summary>
internal static class Axe
{
    /// <summary>Each violation's rule, element and reason.</summary>
    /// <param name="page">The page.</param>
    /// <param name="within">A selector, to look at this part alone.</param>
    /// <param name="frames">Whether to look into frames too.</param>
    public static async Task<IReadOnlyList<string>> ViolationsAsync(IPage page, string within = "html", bool frames = true)
    {
        var options = new AxeRunOptions { ResultTypes = [ResultType.Violations], Iframes = frames };
        var result = await page.RunAxe(new AxeRunContext { Include = [new AxeSelector(within)] }, options);
        Assert.NotEmpty(result.Passes);
        return [.. result.Violations.SelectMany(violation => violation.Nodes.Select(node => $"{violation.Id}: {node.Html} {string.Join(' ', node.Any.Select(check => check.Message))}"))];
    }
}
