using System.Reflection;
using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>A ledger in which something happens once it has said who holds rows; all else is as it is.</summary>
public class StaleHolders : DispatchProxy
{
    private ILedger? inner;
    private Func<Task>? meanwhile;

    /// <summary>The same ledger.</summary>
    /// <param name="inner">The ledger.</param>
    /// <param name="meanwhile">What happens between the look and the answer.</param>
    public static ILedger Over(ILedger inner, Func<Task> meanwhile)
    {
        var made = Create<ILedger, StaleHolders>();
        (((StaleHolders)(object)made).inner, ((StaleHolders)(object)made).meanwhile) = (inner, meanwhile);
        return made;
    }

    /// <inheritdoc/>
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        => targetMethod!.Name == nameof(ILedger.HoldersAsync) ? HoldersAsync((CancellationToken)args![0]!) : targetMethod.Invoke(inner, args);

    private async Task<IReadOnlyList<ClaimHolder>> HoldersAsync(CancellationToken cancel)
    {
        var holders = await inner!.HoldersAsync(cancel);
        await meanwhile!();
        return holders;
    }
}
