using System.Diagnostics;

namespace WeeklyDigest.Tests;

/// <summary>Whose a file is, told by its handle.</summary>
public sealed class PrivateFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_file_we_made_is_ours() => Assert.True(IsOurs(folder.Write("file", "")));

    [Fact]
    public async Task A_file_of_another_user_is_not()
    {
        var path = "/etc/passwd";
        // Who owns that file may give another one away.
        if (Environment.IsPrivilegedProcess)
        {
            path = folder.Write("file", "");
            using var change = Process.Start("chown", ["65534", path]);
            await change.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
        Assert.False(IsOurs(path));
    }

    private static bool IsOurs(string path)
    {
        using var file = File.OpenHandle(path);
        return PrivateFile.IsOurs(file);
    }
}
