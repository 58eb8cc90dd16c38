using WeeklyDigest.Merging;

namespace WeeklyDigest.Rendering;

/// <summary>Subject, HTML and text of an issue, rendered once; what differs per recipient is left as merge slots.</summary>
/// <param name="Subject">The subject, slots Plain; no line breaks.</param>
/// <param name="Html">The HTML part, slots Html or Url as their place demands; UTF-8, lines under 998 octets unless an address is longer than that.</param>
/// <param name="Text">The text part, slots Plain, or Url inside an address; lines under 998 octets unless an address is longer than that.</param>
/// <param name="Hash">SHA-256 over the three, lower-case hex: what was previewed is what is sent.</param>
public sealed record RenderedEmail(MergeTemplate Subject, MergeTemplate Html, MergeTemplate Text, string Hash);
