using System.Reflection;
using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>A ledger whose claims may have to wait for the database; all else is as it is.</summary>
public class WaitingClaims : DispatchProxy
{
    private ILedger? inner;
    private Func<Task>? before;

    /// <summary>The same ledger.</summary>
    /// <param name="inner">The ledger.</param>
    /// <param name="before">Asked before each claim, which is made when this has ended.</param>
    public static ILedger Over(ILedger inner, Func<Task> before)
    {
        var made = Create<ILedger, WaitingClaims>();
        (((WaitingClaims)(object)made).inner, ((WaitingClaims)(object)made).before) = (inner, before);
        return made;
    }

    /// <inheritdoc/>
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        => targetMethod!.Name == nameof(ILedger.ClaimAsync) ? ClaimAsync((ClaimRequest)args![0]!, (CancellationToken)args[1]!) : targetMethod.Invoke(inner, args);

    private async Task<ClaimedRows> ClaimAsync(ClaimRequest request, CancellationToken cancel)
    {
        await before!();
        return await inner!.ClaimAsync(request, cancel);
    }
}
