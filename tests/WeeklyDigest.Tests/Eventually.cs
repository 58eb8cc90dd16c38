namespace WeeklyDigest.Tests;

/// <summary>Waits for conditions with a limit.</summary>
internal static class Eventually
{
    /// <summary>Waits until the condition holds; 20 seconds unless said otherwise.</summary>
    /// <exception cref="TimeoutException">It did not in time.</exception>
    public static async Task HoldsAsync(Func<bool> condition, string expected, TimeSpan? limit = null)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(started) > (limit ?? TimeSpan.FromSeconds(20)))
            {
                throw new TimeoutException($"Not in time: {expected}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
        }
    }
}
