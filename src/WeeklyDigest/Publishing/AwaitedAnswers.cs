namespace WeeklyDigest.Publishing;

/// <summary>
/// How many messages of this process have left and are not noted as answered: so many are uncertain after a kill. Where a relay answers at once, most of
/// them have their answer, which waits for a processor to be read. So whose message is next gives way while a few wait, a moment only: a relay that takes
/// its time is not to hold anybody up, and nothing is lost in speed (docs/benchmarks.md). Signed messages do not: a signature keeps a processor for longer
/// than an answer takes, so that giving way gains little there, and costs a fortieth of the speed.
/// </summary>
/// <param name="giveWay">Lets another thread have the processor; <see cref="Thread.Yield"/>.</param>
internal sealed class AwaitedAnswers(Action giveWay)
{
    /// <summary>So many may wait without anybody giving way, those apart that giving way did not help: fewer, and the relay has too little to do.</summary>
    public const int Few = 3;

    /// <summary>How often one gives way before its message leaves in any case. On a machine that has nothing else to do it costs a microsecond.</summary>
    public const int Patience = 4;

    private int count;

    // Of these, so many wait for a relay that takes its time: giving way did not help.
    private int slow;

    /// <summary>Those of a process.</summary>
    public AwaitedAnswers()
        : this(static () => Thread.Yield())
    {
    }

    /// <summary>One more is about to leave.</summary>
    /// <param name="givesWay">Whether it gives way.</param>
    public void Add(bool givesWay)
    {
        if (givesWay) GiveWay();
        Interlocked.Increment(ref count);
    }

    /// <summary>One was answered, and that is noted; or nobody waits for it any more.</summary>
    public void Remove()
    {
        var left = Interlocked.Decrement(ref count);
        if (left < Volatile.Read(ref slow)) Volatile.Write(ref slow, left);
    }

    // What another thread changes meanwhile makes a moment's difference, and no lasting one.
    private void GiveWay()
    {
        for (var i = 0; i < Patience; i++)
        {
            if (Volatile.Read(ref count) - Volatile.Read(ref slow) < Few) return;
            giveWay();
        }
        Volatile.Write(ref slow, Volatile.Read(ref count));
    }
}
