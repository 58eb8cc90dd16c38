using System.CommandLine;

namespace WeeklyDigest.Server.Commands;

/// <summary><c>subscribers import|export|add|show|unsubscribe</c>.</summary>
internal static class SubscribersCommand
{
    /// <summary>The command with its subcommands.</summary>
    public static Command Create(CommandEdge edge) => new("subscribers", "Import, export and look after subscribers.")
    {
        SubscribersImport.Create(edge),
        SubscribersExport.Create(edge),
        SubscribersAdd.Create(edge),
        SubscribersShow.Create(edge),
        SubscribersUnsubscribe.Create(edge),
    };
}
