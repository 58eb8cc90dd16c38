using System.Globalization;

namespace WeeklyDigest.Tests.Commands.Doctor;

public sealed class ListCheckTests : IDisposable
{
    private readonly Workspace workspace = new Workspace().WithWeek1();

    public void Dispose() => workspace.Dispose();

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task Warns_of_a_list_whose_file_was_taken_away_until_its_subscribers_are_out(string provider)
    {
        workspace.On(provider).WithSubscribers(3, "sample").WithSubscribers(1, "own");
        Assert.DoesNotContain("lists:", await DoctorAsync(), StringComparison.Ordinal);
        Assert.Equal(0, (await workspace.RunHereAsync("send", "week-1", "--at", Workspace.Later.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture))).ExitCode);
        await workspace.RunHereAsync("subscribers", "import", workspace.Write("other.csv", "email\nada@example.org\n"), "--list", "other");
        Assert.DoesNotContain("lists:", await DoctorAsync(), StringComparison.Ordinal);

        File.Delete(workspace.PathOf("subscribers/sample.csv"));
        Assert.Contains(
            "warning  lists:     The file of the list sample is gone, and its 3 active subscribers stay: an issue that names no lists goes to them. If they are to get none, run `weeklydigest subscribers unsubscribe --list sample`: who is on another list stays on that. Else put the file back.",
            await DoctorAsync(), StringComparison.Ordinal);
        Assert.Equal((0, "List sample: 2 unsubscribed; 1 stays on another list."), await UnsubscribeAsync("--list", "sample"));
        Assert.DoesNotContain("lists:", await DoctorAsync(), StringComparison.Ordinal);
        File.Delete(workspace.PathOf("subscribers/own.csv"));
        Assert.Equal((0, "List own: 1 unsubscribed."), await UnsubscribeAsync("--list", "own"));
        Assert.DoesNotContain("lists:", await DoctorAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task Nobody_is_unsubscribed_whose_list_only_has_another_name(string provider)
    {
        workspace.On(provider).WithSubscribers(2, "readers");
        Assert.Equal(0, (await workspace.RunHereAsync("send", "week-1", "--at", Workspace.Later.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture))).ExitCode);
        File.Move(workspace.PathOf("subscribers/readers.csv"), workspace.PathOf("subscribers/news.csv"));
        var misnamed = workspace.Write("subscribers/no list.csv", "email\nada@example.org\n");

        var refused = await workspace.RunHereAsync("subscribers", "unsubscribe", "--list", "readers");
        Assert.Equal((1, true), (refused.ExitCode, refused.Error.Contains("Nobody was unsubscribed: who is in a file that cannot be used may be on another list.", StringComparison.Ordinal)));
        File.Delete(misnamed);
        Assert.Equal((0, "List readers: 0 unsubscribed; 2 stay on another list."), await UnsubscribeAsync("--list", "readers"));
        Assert.Equal("news: 2 active of 2\nreaders: 0 active of 0", (await workspace.RunHereAsync("subscribers", "show")).Out.TrimEnd().ReplaceLineEndings("\n"));
        Assert.DoesNotContain("lists:", await DoctorAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_is_taken_off_a_list_whose_file_would_bring_them_back()
    {
        workspace.WithSubscribers(2, "readers").WithSubscribers(1, "news");
        Assert.Equal(0, (await workspace.RunHereAsync("send", "week-1", "--at", Workspace.Later.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture))).ExitCode);
        var refused = await workspace.RunHereAsync("subscribers", "unsubscribe", "--list", "readers");
        Assert.Equal(
            (1, "Nobody was unsubscribed: the file of the list readers in the subscribers folder would bring back who stays on another list. Move it out of that folder, and try again."),
            (refused.ExitCode, refused.Error.TrimEnd()));
        Assert.Equal("news: 1 active of 1\nreaders: 2 active of 2", (await workspace.RunHereAsync("subscribers", "show")).Out.TrimEnd().ReplaceLineEndings("\n"));
    }

    [Fact]
    public async Task Says_that_nobody_is_subscribed_only_while_that_is_so()
    {
        const string nobody = "warning  lists:     Nobody is subscribed: ";
        Assert.Contains(nobody, await DoctorAsync(), StringComparison.Ordinal);
        await workspace.RunHereAsync("subscribers", "import", workspace.Write("other.csv", "email\nada@example.org\n"), "--list", "other");
        var found = await DoctorAsync();
        Assert.DoesNotContain(nobody, found, StringComparison.Ordinal);
        Assert.Contains($"ok       folders:   Paths:Subscribers: no *.csv in {workspace.PathOf("subscribers")}.", found, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tells_of_each_list_file_because_of_which_nothing_is_published()
    {
        workspace.WithSubscribers(1, "good");
        workspace.Write("subscribers/bad.csv", "email\n\"x");
        workspace.Write("subscribers/my list.csv", "email\nada@example.org\n");
        const string until = "Mend it, or move a file that is no list out of the subscribers folder: until then no issue is published that goes to ";

        var result = await workspace.RunHereAsync("doctor");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(
            $"problem  lists:     {workspace.PathOf("subscribers/bad.csv")} cannot be used. Line 2: the quotation mark that opens here is never closed. {until}the list bad or to every list.",
            result.Out, StringComparison.Ordinal);
        Assert.Contains(
            $"problem  lists:     {workspace.PathOf("subscribers/my list.csv")} cannot be used. The file's name is no list name. Use 1 to 64 letters, digits, dots, dashes and underscores before .csv. {until}every list.",
            result.Out, StringComparison.Ordinal);
        Assert.Contains("2 problems, ", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tells_of_ten_unusable_list_files_and_the_number_of_the_others()
    {
        for (var i = 0; i < 12; i++) workspace.Write($"subscribers/({i}).csv", "email\nada@example.org\n");
        var found = await DoctorAsync();
        Assert.Contains($"problem  lists:     And 2 more of {workspace.PathOf("subscribers")}. Mend those above first.", found, StringComparison.Ordinal);
        Assert.Equal(10, found.Split("The file's name is no list name.").Length - 1);
    }

    [Theory]
    [InlineData("")]
    [InlineData("ada@example.org --list own")]
    public async Task Unsubscribing_takes_an_address_or_a_list(string line)
    {
        var result = await workspace.RunHereAsync(["subscribers", "unsubscribe", .. line.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        Assert.Equal((2, true), (result.ExitCode, result.Error.Contains("Say who: ADDRESS, or --list NAME.", StringComparison.Ordinal)));
    }

    private async Task<(int ExitCode, string Out)> UnsubscribeAsync(params string[] who)
    {
        var result = await workspace.RunHereAsync(["subscribers", "unsubscribe", .. who]);
        return (result.ExitCode, result.Out.TrimEnd());
    }

    private async Task<string> DoctorAsync() => (await workspace.RunHereAsync("doctor")).Out;
}
