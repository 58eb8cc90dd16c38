using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(WeeklyDigest.Tests.Browser))]

namespace WeeklyDigest.Tests;

/// <summary>The one Chromium that all tests share, started by the first that asks. Take it as a constructor parameter; every page is its own profile.</summary>
public sealed class Browser : IAsyncLifetime
{
    private static readonly string[] Arguments =
    [
        "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
    ];

    private readonly Lazy<Task<(IPlaywright Driver, IBrowser Browser)>> started = new(StartAsync);

    /// <summary>Where Chromium stands; the environment variable CHROMIUM names another place.</summary>
    public static string Executable { get; } = Environment.GetEnvironmentVariable("CHROMIUM") ?? "/usr/bin/chromium";

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>Opens an empty page in a profile of its own; dispose of its <see cref="IPage.Context"/> with <see cref="CloseAsync"/>.</summary>
    public async Task<IPage> OpenAsync(int width = 1280, int height = 900, bool dark = false, bool javaScript = true)
    {
        var (_, browser) = await started.Value;
        var context = await browser.NewContextAsync(new()
        {
            ViewportSize = new() { Width = width, Height = height },
            ColorScheme = dark ? ColorScheme.Dark : ColorScheme.Light,
            JavaScriptEnabled = javaScript,
            Locale = "en-GB",
            TimezoneId = "UTC",
        });
        return await context.NewPageAsync();
    }

    /// <summary>Closes a page and forgets its profile.</summary>
    public static Task CloseAsync(IPage page) => page.Context.CloseAsync();

    public async ValueTask DisposeAsync()
    {
        if (!started.IsValueCreated) return;
        var (driver, browser) = await started.Value;
        await browser.CloseAsync();
        driver.Dispose();
    }

    private static async Task<(IPlaywright, IBrowser)> StartAsync()
    {
        if (!File.Exists(Executable))
            throw new FileNotFoundException($"These tests need Chromium at {Executable}; install it, or name another place in the environment variable CHROMIUM.");
        var driver = await Playwright.CreateAsync();
        var browser = await driver.Chromium.LaunchAsync(new() { ExecutablePath = Executable, Args = Arguments });
        return (driver, browser);
    }
}
