using WeeklyDigest.Deliveries;
using WeeklyDigest.Issues;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Dashboard;

/// <summary>What a decision came to.</summary>
/// <param name="Words">What was done, or why nothing was.</param>
/// <param name="Result">The mailing afterwards; null when the decision was refused.</param>
internal sealed record Decided(string Words, DecisionResult? Result);

/// <summary>Carries out what the editor decides about uncertain and failed deliveries on the page Issues. The watch takes up what becomes pending.</summary>
/// <param name="mailings">The mailings.</param>
/// <param name="decide">Decides.</param>
internal sealed class IssueDecisions(IMailingStore mailings, DecideDeliveries decide)
{
    /// <summary>Decides, to the end: a browser that is closed does not stop it half way.</summary>
    /// <param name="action">resend, confirm or retry.</param>
    /// <param name="slug">The issue.</param>
    /// <returns>Null when the issue has no mailing.</returns>
    public async Task<Decided?> DecideAsync(string action, string slug)
    {
        var decision = Enum.Parse<DeliveryEvent>(action, ignoreCase: true);
        if (!IssueSlug.TryParse(slug, out var issue) || await mailings.FindAsync(issue, CancellationToken.None) is not { } mailing) return null;
        try
        {
            var result = await decide.RunAsync(mailing, decision, null, CancellationToken.None);
            return new Decided(DecideDeliveries.Describe(decision, result), result);
        }
        catch (RefusedException refusal)
        {
            return new Decided(refusal.Message, null);
        }
    }
}
