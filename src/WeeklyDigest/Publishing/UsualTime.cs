namespace WeeklyDigest.Publishing;

/// <summary>
/// What something usually takes: follows the median of what it is told, so that one in a hundred that takes a minute does not show.
/// </summary>
/// <param name="step">By what factor each time moves it; a larger one follows faster and lies less exactly.</param>
internal sealed class UsualTime(double step)
{
    private static readonly TimeSpan Least = TimeSpan.FromMicroseconds(10);

    /// <summary>The estimate; zero when nothing is known.</summary>
    public TimeSpan Value { get; private set; }

    /// <summary>Takes a time into account.</summary>
    public void Note(TimeSpan took)
    {
        if (Value == TimeSpan.Zero) Value = took > Least ? took : Least;
        else if (took > Value) Value *= step;
        else if (Value > Least) Value /= step;
    }

    /// <summary>From now on it takes this at least, until it is told otherwise.</summary>
    public void Raise(TimeSpan least)
    {
        if (least > Value) Value = least;
    }
}
