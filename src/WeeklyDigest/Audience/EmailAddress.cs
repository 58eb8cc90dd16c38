using System.Diagnostics.CodeAnalysis;

namespace WeeklyDigest.Audience;

/// <summary>A syntactically valid e-mail address: a local part (RFC 5321, UTF-8 as RFC 6531 allows) and a domain.</summary>
/// <remarks>
/// Invariant: Unicode in form NFC without control, invisible or space characters, but for the joiners that IDNA takes in a domain; the local
/// part a dot-atom of at most 64 octets, the whole at most 254 octets on the wire (RFC 5321 section 4.5.3.1); the domain at least two labels,
/// valid under IDNA. Not taken, though RFC 5321 knows them: quoted local parts, address literals, and bare host names such as
/// <c>localhost</c>; no newsletter goes there.
/// <see cref="Value"/> keeps the local part as written and the domain in lower case, in its Unicode form; two addresses are equal when
/// <see cref="Value"/> is.
/// </remarks>
public sealed record EmailAddress
{
    private EmailAddress(AddressSyntax.Parts parts)
    {
        (Value, LocalPart, Domain, AsciiDomain) = parts;
        WireValue = Domain == AsciiDomain ? Value : LocalPart + "@" + AsciiDomain;
    }

    /// <summary>What stands before the @, as written.</summary>
    public string LocalPart { get; }

    /// <summary>The domain in lower case, in Unicode form.</summary>
    public string Domain { get; }

    /// <summary>The domain as it goes on the wire: lower case, A-labels (RFC 5891).</summary>
    public string AsciiDomain { get; }

    /// <summary>The address as people write it, and the key under which duplicates fold.</summary>
    public string Value { get; }

    /// <summary>The address for SMTP commands and header fields: ASCII wherever the local part allows it.</summary>
    public string WireValue { get; }

    /// <summary>Whether the local part needs SMTPUTF8 (RFC 6531) to travel.</summary>
    public bool NeedsSmtpUtf8 => !System.Text.Ascii.IsValid(LocalPart);

    /// <summary>Reads an address; surrounding white space is ignored.</summary>
    /// <returns>False when the text is no address; <paramref name="address"/> is then null.</returns>
    public static bool TryParse(string? text, [NotNullWhen(true)] out EmailAddress? address) => TryParse(text, out address, out _);

    /// <summary>Reads an address; surrounding white space is ignored.</summary>
    /// <param name="text">The text.</param>
    /// <param name="address">The address, or null.</param>
    /// <param name="problem">Why the text is no address, as a clause for people ("it has no @"); does not repeat the text. Null when it is one.</param>
    /// <returns>False when the text is no address.</returns>
    public static bool TryParse(string? text, [NotNullWhen(true)] out EmailAddress? address, [NotNullWhen(false)] out string? problem)
    {
        address = null;
        problem = AddressSyntax.Read(text?.Trim() ?? "", out var parts);
        if (problem is null) address = new EmailAddress(parts);
        return address is not null;
    }

    /// <inheritdoc/>
    public override string ToString() => Value;
}
