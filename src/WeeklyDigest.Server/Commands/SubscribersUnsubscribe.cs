using System.CommandLine;

namespace WeeklyDigest.Server.Commands;

/// <summary>
/// <c>subscribers unsubscribe ADDRESS</c>: ends a subscription for good, also in the middle of a send. Who asks to be left out may be no subscriber yet,
/// and stand in a list file that was not read: such an address is kept out from then on.
/// </summary>
internal static class SubscribersUnsubscribe
{
    /// <summary>The command.</summary>
    public static Command Create(CommandEdge edge)
    {
        var address = Inputs.Address();
        var command = new Command("unsubscribe", "End a subscription; from then on nothing more is sent to the address.") { address };
        command.SetAction(edge.Run(async (run, parsed, cancel) =>
        {
            var wanted = Inputs.ReadAddress(parsed.GetRequiredValue(address));
            var installation = await run.OpenAsync(cancel);
            var store = installation.Database.Subscribers;
            var wasSubscriber = await store.UnsubscribeAsync(wanted, "command", cancel);
            await run.Out.WriteLineAsync(wasSubscriber ? $"{wanted}: unsubscribed." : $"{wanted}: was not a subscriber; from now on it is kept out, and no list file brings it in.");
            return CommandLine.Done;
        }));
        return command;
    }
}
