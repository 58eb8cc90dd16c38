using System.Reflection;
using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>A ledger with a million rows more to give up: each portion takes four seconds; all else is as it is.</summary>
public class LargeLedger : DispatchProxy
{
    /// <summary>So many portions they are.</summary>
    public const int AllPortions = 200;

    private ILedger? inner;
    private ManualClock? clock;
    private long renewedAt;

    /// <summary>Portions given up so far.</summary>
    public int Portions { get; private set; }

    /// <summary>The longest time without a renewal of the lease in between.</summary>
    public TimeSpan WithoutRenewal { get; private set; }

    /// <summary>The same ledger, larger.</summary>
    internal static ILedger Over(ILedger inner, ManualClock clock, out LargeLedger large)
    {
        var ledger = Create<ILedger, LargeLedger>();
        large = (LargeLedger)(object)ledger;
        (large.inner, large.clock) = (inner, clock);
        return ledger;
    }

    /// <inheritdoc/>
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (targetMethod!.Name == nameof(ILedger.RenewAsync)) renewedAt = clock!.GetTimestamp();
        if (targetMethod.Name != nameof(ILedger.GiveUpAsync) || Portions == AllPortions) return targetMethod.Invoke(inner, args);
        // From now on nobody else moves the clock.
        if (Portions++ == 0) renewedAt = clock!.GetTimestamp();
        clock!.Advance(TimeSpan.FromSeconds(4));
        if (clock.GetElapsedTime(renewedAt) is var age && age > WithoutRenewal) WithoutRenewal = age;
        return Task.FromResult((long)(int)args![3]!);
    }
}
