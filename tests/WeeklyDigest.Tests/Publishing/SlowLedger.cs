using System.Reflection;
using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>A ledger on a disk that takes its time for each group of changes; all else is as it is.</summary>
public class SlowLedger : DispatchProxy
{
    private ILedger? inner;
    private Func<IReadOnlyList<LedgerWrite>, Task>? before;

    /// <summary>The same ledger, slower.</summary>
    public static ILedger Over(ILedger inner, TimeSpan commit) => Over(inner, _ => Task.Delay(commit, TimeProvider.System));

    /// <summary>The same ledger, that waits for something before each group.</summary>
    public static ILedger Over(ILedger inner, Func<Task> before) => Over(inner, _ => before());

    /// <summary>The same ledger, that waits for something before each group, which that may look at.</summary>
    public static ILedger Over(ILedger inner, Func<IReadOnlyList<LedgerWrite>, Task> before)
    {
        var slow = Create<ILedger, SlowLedger>();
        (((SlowLedger)(object)slow).inner, ((SlowLedger)(object)slow).before) = (inner, before);
        return slow;
    }

    /// <inheritdoc/>
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        => targetMethod!.Name == nameof(ILedger.WriteAsync) ? WriteAsync((IReadOnlyList<LedgerWrite>)args![0]!, (CancellationToken)args[1]!) : targetMethod.Invoke(inner, args);

    private async Task<IReadOnlyList<LedgerWriteResult>> WriteAsync(IReadOnlyList<LedgerWrite> writes, CancellationToken cancel)
    {
        await before!(writes);
        return await inner!.WriteAsync(writes, cancel);
    }
}
