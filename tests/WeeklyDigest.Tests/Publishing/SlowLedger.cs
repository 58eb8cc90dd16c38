using System.Reflection;
using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>A ledger on a disk that takes its time for each group of changes; all else is as it is.</summary>
public class SlowLedger : DispatchProxy
{
    private ILedger? inner;
    private TimeSpan commit;

    /// <summary>The same ledger, slower.</summary>
    public static ILedger Over(ILedger inner, TimeSpan commit)
    {
        var slow = Create<ILedger, SlowLedger>();
        (((SlowLedger)(object)slow).inner, ((SlowLedger)(object)slow).commit) = (inner, commit);
        return slow;
    }

    /// <inheritdoc/>
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        => targetMethod!.Name == nameof(ILedger.WriteAsync) ? WriteAsync((IReadOnlyList<LedgerWrite>)args![0]!, (CancellationToken)args[1]!) : targetMethod.Invoke(inner, args);

    private async Task<IReadOnlyList<LedgerWriteResult>> WriteAsync(IReadOnlyList<LedgerWrite> writes, CancellationToken cancel)
    {
        await Task.Delay(commit, TimeProvider.System, cancel);
        return await inner!.WriteAsync(writes, cancel);
    }
}
