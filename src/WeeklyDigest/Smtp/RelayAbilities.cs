namespace WeeklyDigest.Smtp;

/// <summary>What a relay announced in its EHLO reply.</summary>
/// <param name="EightBitMime">8BITMIME (RFC 6152).</param>
/// <param name="SmtpUtf8">SMTPUTF8 (RFC 6531); only with 8BITMIME, as section 3.1 there demands.</param>
public sealed record RelayAbilities(bool EightBitMime, bool SmtpUtf8);
