using System.CommandLine;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Commands;

/// <summary><c>subscribers unsubscribe ADDRESS</c>: ends a subscription for good, also in the middle of a send.</summary>
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
            var subscriber = await store.FindAsync(wanted, cancel) ?? throw new RefusedException($"{wanted} is not a subscriber.");
            await store.UnsubscribeAsync(subscriber.Id, "command", cancel);
            await run.Out.WriteLineAsync($"{wanted}: unsubscribed.");
            return CommandLine.Done;
        }));
        return command;
    }
}
