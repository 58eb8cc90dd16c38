using System.Globalization;
using WeeklyDigest.Rendering;

namespace WeeklyDigest.Publishing;

/// <summary>What giving another time did.</summary>
/// <param name="Before">The time it had.</param>
/// <param name="At">The time it has.</param>
/// <param name="ContentIsNew">Whether the issue had changed since it was frozen; it goes out as it is now.</param>
public sealed record RescheduleResult(DateTimeOffset Before, DateTimeOffset At, bool ContentIsNew);

/// <summary>
/// Gives a mailing another time before it begins. Its content is frozen anew for that time, as publishing does it, since the Date header and
/// the day it shows are in it; who gets it was fixed when it was published, and a mailing that is paused stays so.
/// </summary>
/// <param name="mailings">The mailings.</param>
/// <param name="renderer">Renders e-mail and archive page.</param>
/// <param name="newsletter">The identity that is frozen with the content.</param>
/// <param name="time">The clock.</param>
public sealed class RescheduleIssue(IMailingStore mailings, IssueRenderer renderer, Newsletter newsletter, TimeProvider time)
{
    private readonly FreezeIssue freeze = new(renderer, newsletter, time);

    /// <summary>Refuses a time that is past, and a mailing that has begun or is cancelled.</summary>
    /// <exception cref="RefusedException">Says which, and what can be done.</exception>
    public void Require(Mailing mailing, DateTimeOffset at)
    {
        if (!mailing.CanBeRescheduled) throw Refusal(mailing);
        if (at <= time.GetUtcNow())
            throw new RefusedException($"{Words(at)} is in the past; {mailing.Issue} stays scheduled for {Words(mailing.ScheduledAt!.Value)}.");
    }

    /// <summary>Gives it the time, or refuses and changes nothing.</summary>
    /// <param name="issue">The mailing's issue file, as it is now.</param>
    /// <param name="mailing">The mailing.</param>
    /// <param name="at">When to start.</param>
    /// <param name="cancel">Stops; nothing is changed.</param>
    /// <exception cref="RefusedException">The time is past, the mailing has begun, or the issue has errors or is a draft.</exception>
    /// <exception cref="TemplateException">A template cannot be used.</exception>
    public async Task<RescheduleResult> RunAsync(IssueFile issue, Mailing mailing, DateTimeOffset at, CancellationToken cancel)
    {
        Require(mailing, at);
        var ready = Preflight.Require(issue);
        Preflight.RefuseDraft(issue);
        var differs = await freeze.DiffersAsync(await mailings.ContentAsync(mailing.Id, cancel), ready, cancel);
        var content = await freeze.RunAsync(ready, at, cancel);
        // Dying here: it has the old time and the old content.
        if (!await mailings.RescheduleAsync(mailing.Id, content, at, cancel)) throw Refusal(await mailings.FindAsync(mailing.Id, cancel) ?? mailing);
        return new RescheduleResult(mailing.ScheduledAt!.Value, at, differs);
    }

    private static RefusedException Refusal(Mailing mailing)
    {
        var held = mailing.State == MailingState.Sending ? $" `weeklydigest pause {mailing.Issue}` holds back what has not gone out." : "";
        return new RefusedException($"{mailing.Issue} is {mailing.State.ToString().ToLowerInvariant()}; only a mailing that has not begun can be given another time. Nothing was changed.{held}");
    }

    private static string Words(DateTimeOffset at) => at.ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture);
}
