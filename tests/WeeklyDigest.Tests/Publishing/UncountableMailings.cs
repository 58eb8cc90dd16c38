using System.Reflection;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>Mailings whose deliveries cannot be counted at times, as where that takes longer than the database allows; all else is as it is.</summary>
public class UncountableMailings : DispatchProxy
{
    private IMailingStore? inner;
    private Func<bool>? isAway;

    /// <summary>The same mailings.</summary>
    /// <param name="inner">The mailings.</param>
    /// <param name="isAway">Whether they cannot be counted now.</param>
    public static IMailingStore Over(IMailingStore inner, Func<bool> isAway)
    {
        var made = Create<IMailingStore, UncountableMailings>();
        (((UncountableMailings)(object)made).inner, ((UncountableMailings)(object)made).isAway) = (inner, isAway);
        return made;
    }

    /// <inheritdoc/>
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        => targetMethod!.Name == nameof(IMailingStore.BalanceAsync) && isAway!() ? Task.FromException<Balance>(new IOException("too slow")) : targetMethod.Invoke(inner, args);
}
