using Microsoft.AspNetCore.Connections;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Commands;

/// <summary>Starts the web server, or says in words why it cannot listen.</summary>
internal static class Listening
{
    /// <summary>Starts listening, and does what comes first. Where either fails, the server is stopped; it stays the caller's to dispose of.</summary>
    /// <param name="server">The server.</param>
    /// <param name="urls">What it is to listen on.</param>
    /// <param name="first">What is done as soon as it listens.</param>
    /// <param name="cancel">Stops.</param>
    /// <exception cref="RefusedException">An address is taken, or may not be listened on; says what to do.</exception>
    public static async Task StartAsync(WebApplication server, IReadOnlyList<string> urls, Func<Task> first, CancellationToken cancel)
    {
        try
        {
            await ListenAsync(server, urls, cancel);
            await first();
        }
        catch
        {
            await StopAsync(server);
            throw;
        }
    }

    private static async Task ListenAsync(WebApplication server, IReadOnlyList<string> urls, CancellationToken cancel)
    {
        try
        {
            await server.StartAsync(cancel);
        }
        catch (Exception exception) when (Reason(exception) is { } reason)
        {
            throw new RefusedException($"Cannot listen on {string.Join(" or ", urls)}: {reason}");
        }
    }

    // Stopped rather than dropped: what runs beside the pages ends in good order, and does not log its end as a crash.
    private static async Task StopAsync(WebApplication server)
    {
        try
        {
            await server.StopAsync(CancellationToken.None);
        }
        catch (Exception late) when (late is OperationCanceledException or AggregateException)
        {
            // What cannot stop in time is dropped. Why the start failed is what counts.
        }
    }

    private static string? Reason(Exception exception) => exception switch
    {
        IOException { InnerException: AddressInUseException } => "something else does already, perhaps another `weeklydigest serve`. Stop it, or choose another address with --urls.",
        // What the system says of a port or an address that is not ours to use; its type is that of sockets, which are no business of a command.
        System.ComponentModel.Win32Exception denied => $"{denied.Message}. Choose another address with --urls.",
        _ => null,
    };
}
