namespace WeeklyDigest.Merging;

/// <summary>What a merge slot is filled with.</summary>
public enum MergeField
{
    /// <summary>The subscriber's name.</summary>
    Name,

    /// <summary>The subscriber's address.</summary>
    Email,

    /// <summary>One of the subscriber's attributes, <see cref="MergeSlot.Attribute"/>.</summary>
    Attribute,

    /// <summary>The address of the recipient's unsubscribe page.</summary>
    UnsubscribeUrl,
}

/// <summary>A place in an issue or a template that differs per recipient: <c>{{ name | there }}</c>.</summary>
/// <param name="Field">What it is filled with.</param>
/// <param name="Attribute">The attribute's name in lower case when <paramref name="Field"/> is Attribute, else null.</param>
/// <param name="Fallback">What stands there when the recipient has no such value; empty unless given.</param>
public sealed record MergeSlot(MergeField Field, string? Attribute, string Fallback);

/// <summary>How a value is written into its place.</summary>
public enum MergeEncoding
{
    /// <summary>As it is: the text part, the subject.</summary>
    Plain,

    /// <summary>HTML-encoded: text and attribute values.</summary>
    Html,

    /// <summary>Percent-encoded (RFC 3986 section 2.1), then safe in HTML: inside a URL.</summary>
    Url,
}
