using WeeklyDigest.Server.Commands;
using WeeklyDigest.Tests.Web;

namespace WeeklyDigest.Tests.Commands;

/// <summary>What a supervisor learns of the end of <c>serve</c>.</summary>
public sealed class ServeEndTests
{
    [Theory]
    [InlineData(true, 0, "")]
    [InlineData(false, 1, "The server has stopped by itself; the log says why.")]
    public async Task An_end_that_nobody_asked_for_is_a_failure(bool isAsked, int code, string error)
    {
        await using var site = await TestSite.StartAsync();
        using var stopping = new CancellationTokenSource();
        using var words = new StringWriter();
        var waiting = ServeCommand.WaitAsync(site.App, new LateEnd(), words, stopping.Token);
        if (isAsked) await stopping.CancelAsync();
        else site.App.Lifetime.StopApplication();
        Assert.Equal((code, error), (await waiting, words.ToString().TrimEnd()));
    }
}
