using System.Reflection;
using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>A ledger whose first claims get nothing, as if a long transaction of somebody else's held every row; all else is as it is.</summary>
public class VainClaims : DispatchProxy
{
    private readonly List<long> moments = [];
    private ILedger? inner;
    private int vain;

    /// <summary>When the claims began, as the system's clock counts.</summary>
    public IReadOnlyList<long> Moments => moments;

    /// <summary>The same ledger, whose first claims are in vain.</summary>
    public static ILedger Over(ILedger inner, int vain)
    {
        var claims = Create<ILedger, VainClaims>();
        (((VainClaims)(object)claims).inner, ((VainClaims)(object)claims).vain) = (inner, vain);
        return claims;
    }

    /// <inheritdoc/>
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (targetMethod!.Name != nameof(ILedger.ClaimAsync)) return targetMethod.Invoke(inner, args);
        moments.Add(TimeProvider.System.GetTimestamp());
        return moments.Count > vain ? targetMethod.Invoke(inner, args) : Task.FromResult(new ClaimedRows([], 0, PassedOver: false, new HashSet<long>(), 0));
    }
}
