using Hangfire.States;

namespace WeeklyDigest.Server.Jobs;

/// <summary>
/// Changes the states of jobs as Hangfire does, but fails none because its storage was away. What Hangfire would do is to try ten times within 45 seconds, and
/// to note the job as failed if it can then: nobody would run it again. Refused that, it gives the job back to its queue, and a worker takes it up.
/// </summary>
/// <param name="inner">Hangfire's own.</param>
internal sealed class JobStates(IBackgroundJobStateChanger inner) : IBackgroundJobStateChanger
{
    /// <inheritdoc/>
    // Dying here, or when it cannot be given back either: it is in the state Processing, and is its queue's again when the lease of its worker ends.
    public IState? ChangeState(StateChangeContext context) => context.NewState is FailedState { Exception: { } cause } && JobEdge.IsPassing(cause)
        ? throw new StorageException($"Job {context.BackgroundJobId} is taken up again: {cause.Message}", cause)
        : inner.ChangeState(context);
}
