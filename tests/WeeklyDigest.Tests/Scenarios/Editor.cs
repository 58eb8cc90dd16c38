using System.Net;
using System.Text.RegularExpressions;
using AngleSharp.Dom;
using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>An editor at a browser without scripts: signs in with the printed link, sends forms with their tokens.</summary>
internal sealed partial class Editor : IDisposable
{
    private readonly HttpClient http;

    private Editor(Uri server) => http = new HttpClient(new SocketsHttpHandler { CookieContainer = new CookieContainer() }) { BaseAddress = server };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Where the server is.</summary>
    public Uri Server => http.BaseAddress!;

    /// <summary>Signs in with the link that a server printed.</summary>
    /// <param name="printed">What the server printed; the link is somewhere in it.</param>
    public static async Task<Editor> SignInAsync(string printed)
    {
        var link = new Uri(SignInLink().Match(printed).Value);
        var editor = new Editor(new Uri(link.GetLeftPart(UriPartial.Authority)));
        using var answer = await editor.UseLinkAsync(link.PathAndQuery);
        answer.EnsureSuccessStatusCode();
        return editor;
    }

    /// <summary>Opens a sign-in link and presses its button.</summary>
    public async Task<HttpResponseMessage> UseLinkAsync(string link)
    {
        var page = await PageAsync(link);
        var form = page.QuerySelectorAll<IHtmlFormElement>("form").Single(f => f.Action.Contains("sign-in/link", StringComparison.Ordinal));
        using var fields = new FormUrlEncodedContent(form.QuerySelectorAll<IHtmlInputElement>("input[name]").Select(i => KeyValuePair.Create(i.Name!, i.Value)));
        return await http.PostAsync(new Uri("/sign-in/link", UriKind.Relative), fields, Cancel);
    }

    /// <summary>A page's text, whatever its status.</summary>
    public Task<string> TextAsync(string path) => http.GetStringAsync(new Uri(path, UriKind.Relative), Cancel);

    /// <summary>What a page answers that cannot be shown.</summary>
    public async Task<(HttpStatusCode Status, string Text)> ProblemAsync(string path)
    {
        using var answer = await http.GetAsync(new Uri(path, UriKind.Relative), Cancel);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancel));
    }

    /// <summary>Whether the server says that it can work.</summary>
    public async Task<bool> IsReadyAsync()
    {
        using var answer = await http.GetAsync(new Uri("/healthz/ready", UriKind.Relative), Cancel);
        return answer.IsSuccessStatusCode;
    }

    /// <summary><i>Trigger now</i> on a recurring job in Hangfire's dashboard.</summary>
    public async Task TriggerAsync(string recurringJob) => await PressAsync("/hangfire/recurring", "/hangfire/recurring/trigger", ("jobs[]", recurringJob));

    /// <summary><i>Requeue</i> on a job's page.</summary>
    public async Task RequeueAsync(string job) => await PressAsync($"/hangfire/jobs/details/{job}", $"/hangfire/jobs/actions/requeue/{job}");

    /// <summary><i>Delete</i> on a job's page.</summary>
    public async Task DeleteAsync(string job) => await PressAsync($"/hangfire/jobs/details/{job}", $"/hangfire/jobs/actions/delete/{job}");

    /// <summary>The last job a recurring job started, or null.</summary>
    public async Task<string?> LastJobAsync(string recurringJob)
    {
        var page = await PageAsync("/hangfire/recurring");
        var row = page.QuerySelectorAll("tr").FirstOrDefault(r => r.QuerySelector("input")?.GetAttribute("value") == recurringJob);
        return row?.QuerySelectorAll("a").Select(a => JobLink().Match(a.GetAttribute("href") ?? "")).FirstOrDefault(m => m.Success)?.Groups[1].Value;
    }

    /// <summary>The jobs that run, on whatever node.</summary>
    public Task<IReadOnlyList<string>> ProcessingAsync() => ListedAsync("/hangfire/jobs/processing");

    /// <summary>The jobs that wait for a worker.</summary>
    public Task<IReadOnlyList<string>> EnqueuedAsync() => ListedAsync("/hangfire/jobs/enqueued/default");

    private async Task<IReadOnlyList<string>> ListedAsync(string list)
        => [.. (await PageAsync(list)).QuerySelectorAll("a").Select(a => JobLink().Match(a.GetAttribute("href") ?? "")).Where(m => m.Success).Select(m => m.Groups[1].Value).Distinct()];

    /// <summary>How often a job was begun: its page has one heading "Processing" for each time.</summary>
    public async Task<int> RunsAsync(string job)
        => (await PageAsync($"/hangfire/jobs/details/{job}")).QuerySelectorAll(".state-card-title").Count(heading => heading.TextContent.Contains("Processing", StringComparison.Ordinal));

    public void Dispose() => http.Dispose();

    /// <summary><i>Trigger now</i>, and what it answers.</summary>
    public Task<(HttpStatusCode Status, string Text)> TriggeredAsync(string recurringJob) => PressedAsync("/hangfire/recurring", "/hangfire/recurring/trigger", ("jobs[]", recurringJob));

    /// <summary>Presses a button of a page of Hangfire's dashboard.</summary>
    /// <returns>What that answers.</returns>
    public async Task<(HttpStatusCode Status, string Text)> PressedAsync(string page, string action, params (string Name, string Value)[] fields)
    {
        using var answer = await SendAsync(page, action, fields);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancel));
    }

    private async Task PressAsync(string page, string action, params (string Name, string Value)[] fields)
    {
        using var answer = await SendAsync(page, action, fields);
        answer.EnsureSuccessStatusCode();
    }

    private async Task<HttpResponseMessage> SendAsync(string page, string action, (string Name, string Value)[] fields)
    {
        var shown = await PageAsync(page);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(action, UriKind.Relative));
        request.Content = new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value)));
        request.Headers.Add(Meta(shown, "csrf-header"), Meta(shown, "csrf-token"));
        return await http.SendAsync(request, Cancel);
    }

    /// <summary>A page, parsed.</summary>
    public async Task<IHtmlDocument> PageAsync(string path) => await new HtmlParser().ParseDocumentAsync(await TextAsync(path), Cancel);

    private static string Meta(IHtmlDocument page, string name) => page.QuerySelector($"meta[name={name}]")?.GetAttribute("content") ?? "";

    [GeneratedRegex(@"http://[^\s""]+/sign-in\?token=[\w-]+")]
    private static partial Regex SignInLink();

    [GeneratedRegex(@"/jobs/details/([^/?]+)$")]
    private static partial Regex JobLink();
}
