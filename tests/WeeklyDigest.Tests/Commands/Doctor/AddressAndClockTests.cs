using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using WeeklyDigest.Server.Commands.Doctor;
using WeeklyDigest.Server.Settings;
using WeeklyDigest.Smtp;
using WeeklyDigest.Tests.Web;

namespace WeeklyDigest.Tests.Commands.Doctor;

/// <summary>The public address and the clock, against a web server that says what a test wants.</summary>
public sealed class AddressAndClockTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 8, 30, 0, TimeSpan.Zero);

    private readonly TemporaryFolder folder = new();
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly FakeTimeProvider time = new(Now);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        listener.Dispose();
        folder.Dispose();
    }

    [Theory]
    [InlineData("404 Not Found", "<h1>This link does not work</h1>", "ADDRESS/ answers, but without TLS:")]
    [InlineData("404 Not Found", "<h1>nginx</h1>", "ADDRESS/ answers 404 to an unsubscribe link, and not with our page")]
    [InlineData("200 OK", "Welcome", "ADDRESS/ answers 200 to an unsubscribe link, and not with our page")]
    [InlineData("502 Bad Gateway", "", "ADDRESS/ answers 502 ")]
    [InlineData("301 Moved Permanently\r\nLocation: http://example.com/", "", "ADDRESS/ answers 301 ")]
    [InlineData("no HTTP at all", "", "ADDRESS/ cannot be reached from here (")]
    public async Task Asks_the_public_address(string answer, string page, string message)
    {
        var (found, date) = await AskAsync($"HTTP/1.1 {answer}\r\nDate: Sun, 01 Mar 2026 08:30:00 GMT\r\nContent-Length: {page.Length}\r\n\r\n{page}".Replace("HTTP/1.1 no", "no", StringComparison.Ordinal));
        Assert.Equal(Health.Warning, found.Status);
        Assert.StartsWith(message.Replace("ADDRESS", Address(), StringComparison.Ordinal), found.Message, StringComparison.Ordinal);
        Assert.Equal(answer.StartsWith("no", StringComparison.Ordinal) ? null : Now, date);
    }

    [Fact]
    public async Task Knows_our_page_and_wants_TLS()
    {
        await using var site = await TestSite.StartAsync();
        using var client = site.Client();
        using var answer = await client.GetAsync(new Uri("/unsubscribe/doctor", UriKind.Relative), Cancel);
        var page = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.Equal(Diagnosis.Ok("address", "https://news.example.com/ answers."), AddressCheck.Judge(new Uri("https://news.example.com"), (int)answer.StatusCode, page));
        Assert.Equal(Health.Warning, AddressCheck.Judge(new Uri("http://news.example.com"), (int)answer.StatusCode, page).Status);
    }

    // Also where it is what the server listens on, and the relay is this machine's mail server, which passes everything on.
    [Theory]
    [InlineData("")]
    [InlineData("http://127.0.0.1:5080")]
    [InlineData("http://localhost:8080")]
    public async Task Says_of_an_address_of_this_machine_alone_that_nobody_elsewhere_can_unsubscribe(string address)
    {
        var (found, _) = await AddressCheck.RunAsync(Settings(address), TimeProvider.System, Cancel);
        Assert.Equal(Health.Warning, found.Status);
        Assert.Contains("which only this machine can open", found.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Says_when_nobody_listens_there()
    {
        listener.Start();
        var settings = Settings();
        listener.Stop();
        var (found, date) = await AddressCheck.AskAsync(settings.Newsletter, TimeProvider.System, Cancel);
        Assert.Equal((Health.Warning, null), (found.Status, date));
        Assert.Contains("cannot be reached from here", found.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Waits_ten_seconds_for_an_address_that_says_nothing()
    {
        listener.Start();
        var asking = AddressCheck.AskAsync(Settings().Newsletter, time, Cancel);
        using var client = await listener.AcceptTcpClientAsync(Cancel);
        time.Advance(DoctorCommand.Patience);
        Assert.EndsWith("cannot be reached from here (no answer within 10 seconds).", (await asking).Found.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Asks_nobody_before_going_live()
    {
        listener.Start();
        var (found, _) = await AddressCheck.RunAsync(Settings() with { Relays = [] }, TimeProvider.System, Cancel);
        Assert.Equal(Health.Ok, found.Status);
        Assert.False(listener.Pending());
    }

    [Theory]
    [InlineData(0, "Ok", "The public address tells the same time.")]
    [InlineData(-59, "Ok", "The public address tells the same time.")]
    [InlineData(3600, "Problem", "It is 2026-03-01 08:30:00 UTC here, but 2026-03-01 09:30:00 UTC by the public address.")]
    [InlineData(-61, "Problem", "It is 2026-03-01 08:30:00 UTC here, but 2026-03-01 08:28:59 UTC by the public address.")]
    public void Compares_the_clock_with_the_public_address(int seconds, string status, string message)
    {
        var found = ClockCheck.Run(Now.AddSeconds(seconds), time).First();
        Assert.Equal((status, message), (found.Status.ToString(), found.Message));
    }

    [Fact]
    public void Says_at_least_what_time_it_is_here()
    {
        var found = Assert.Single(ClockCheck.Run(null, time));
        Assert.StartsWith("2026-03-01 08:30:00 UTC; ", found.Message, StringComparison.Ordinal);
        Assert.NotEqual(Health.Problem, found.Status);
    }

    private async Task<(Diagnosis Found, DateTimeOffset? Date)> AskAsync(string answer)
    {
        listener.Start();
        var asking = AddressCheck.AskAsync(Settings().Newsletter, TimeProvider.System, Cancel);
        using var client = await listener.AcceptTcpClientAsync(Cancel);
        var stream = client.GetStream();
        using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
        Assert.Equal("GET /unsubscribe/doctor HTTP/1.1", await reader.ReadLineAsync(Cancel));
        while (await reader.ReadLineAsync(Cancel) is { Length: > 0 })
        {
            // The fields of the request; an empty line ends them.
        }
        await stream.WriteAsync(Encoding.ASCII.GetBytes(answer), Cancel);
        client.Close();
        return await asking;
    }

    private string Address() => FormattableString.Invariant($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");

    private ServerSettings Settings(string? address = null)
    {
        Directory.CreateDirectory(folder.File("templates"));
        var settings = SettingsLoader.Load(
            new InstallationFolder(folder.Path, folder.File("appsettings.json"), folder.Path),
            new Dictionary<string, string> { ["Newsletter__PostalAddress"] = "1 Example Street", ["Newsletter__BaseUrl"] = address ?? Address() },
            new Dictionary<string, string?>());
        return settings with { Relays = [new RelayOptions { Host = "127.0.0.1" }] };
    }
}
