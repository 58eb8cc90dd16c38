namespace WeeklyDigest.Server.Public;

/// <summary>What a page for readers says while the database cannot be used. Set on endpoints as metadata; other pages are for editors, and say what becomes of mailings.</summary>
/// <param name="Heading">What does not work.</param>
/// <param name="Text">What that means for who came, and what to do.</param>
internal sealed record ReaderWords(string Heading, string Text)
{
    /// <summary>A page that only shows something.</summary>
    public static readonly ReaderWords Page = new("This page cannot be shown now", "That is our fault, and nothing has changed. Try again in a few minutes.");

    /// <summary>The click on Unsubscribe, by hand or by a mail program.</summary>
    public static readonly ReaderWords NotUnsubscribed = new("You are not unsubscribed yet", "Your click could not be recorded, which is our fault. Try again in a few minutes.");
}
