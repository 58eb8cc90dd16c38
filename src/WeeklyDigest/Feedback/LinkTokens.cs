using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Feedback;

/// <summary>
/// Signed tokens that name a delivery and tell nothing: without the installation's key a token shows neither who nor which mailing,
/// and cannot be made. Used in unsubscribe links and as Message-ID's left side.
/// </summary>
/// <remarks>
/// A token is one AES block over kind, mailing and subscriber, then HMAC-SHA256 over that block cut to 16 bytes (encrypt, then
/// authenticate; NIST SP 800-107 section 5.1 on the cut). The keys come from the installation's secret by HKDF (RFC 5869), each under its own label.
/// </remarks>
public sealed class LinkTokens
{
    /// <summary>The length of a token in characters: 32 bytes in base64url without padding.</summary>
    public const int TokenLength = 43;

    // A block in base32 without padding.
    private const int MessageIdLength = 26;
    private const int Block = 16;
    private const long MaxMailing = (1L << 56) - 1;
    private const string Base32 = "abcdefghijklmnopqrstuvwxyz234567";

    private readonly ConcurrentQueue<BlockCipher> linkCiphers = [];
    private readonly ConcurrentQueue<BlockCipher> messageIdCiphers = [];
    private readonly byte[] linkKey;
    private readonly byte[] sealKey;
    private readonly byte[] messageIdKey;

    /// <summary>Derives the keys.</summary>
    /// <param name="key">32 secret bytes of the installation.</param>
    /// <exception cref="ArgumentException">The key is not 32 bytes long.</exception>
    public LinkTokens(byte[] key)
    {
        if (key.Length != 32) throw new ArgumentException("The installation's secret has to be 32 bytes.", nameof(key));
        linkKey = Derive(key, 32, "weeklydigest link block v1");
        sealKey = Derive(key, 32, "weeklydigest link seal v1");
        messageIdKey = Derive(key, 32, "weeklydigest message-id block v1");
    }

    private enum Kind : byte
    {
        Unsubscribe = 1,
        Preview = 2,
    }

    /// <summary>The token in a delivery's unsubscribe link; 43 characters of base64url, always the same.</summary>
    public string UnsubscribeToken(DeliveryId delivery) => Token(Kind.Unsubscribe, delivery);

    /// <summary>The token of a preview: its page shows what a subscriber would see, and changes nothing.</summary>
    public string PreviewToken() => Token(Kind.Preview, default);

    /// <summary>The left side of the delivery's Message-ID: 26 lower-case letters and digits, always the same.</summary>
    public string MessageIdLeft(DeliveryId delivery)
    {
        Span<byte> block = stackalloc byte[Block];
        Write(block, Kind.Unsubscribe, delivery);
        Span<byte> hidden = stackalloc byte[Block];
        Encrypt(messageIdCiphers, messageIdKey, block, hidden);
        return ToBase32(hidden);
    }

    /// <summary>Whether a text has the form of a token; whose it is only <see cref="TryReadUnsubscribe"/> tells.</summary>
    public static bool HasForm(string text) => text.Length == TokenLength && Base64Url.IsValid(text);

    /// <summary>Reads an unsubscribe token; compares in constant time.</summary>
    /// <returns>False when it is not one of ours. A preview's token is, and gives null as delivery.</returns>
    public bool TryReadUnsubscribe(string token, out DeliveryId? delivery)
    {
        delivery = null;
        Span<byte> bytes = stackalloc byte[2 * Block];
        if (!TryDecode(token, bytes)) return false;
        Span<byte> seal = stackalloc byte[Block];
        Seal(bytes[..Block], seal);
        if (!CryptographicOperations.FixedTimeEquals(seal, bytes[Block..])) return false;
        Span<byte> block = stackalloc byte[Block];
        Decrypt(bytes[..Block], block);
        return TryReadBlock(block, out delivery);
    }

    private string Token(Kind kind, DeliveryId delivery)
    {
        Span<byte> block = stackalloc byte[Block];
        Write(block, kind, delivery);
        Span<byte> token = stackalloc byte[2 * Block];
        Encrypt(linkCiphers, linkKey, block, token[..Block]);
        Seal(token[..Block], token[Block..]);
        return Base64Url.EncodeToString(token);
    }

    private static void Write(Span<byte> block, Kind kind, DeliveryId delivery)
    {
        if (delivery.MailingId is < 0 or > MaxMailing) throw new ArgumentOutOfRangeException(nameof(delivery), delivery.MailingId, "a mailing's id has at most 56 bits");
        BinaryPrimitives.WriteInt64BigEndian(block, delivery.MailingId);
        block[0] = (byte)kind;
        BinaryPrimitives.WriteInt64BigEndian(block[8..], delivery.SubscriberId);
    }

    private static bool TryReadBlock(Span<byte> block, out DeliveryId? delivery)
    {
        var kind = (Kind)block[0];
        block[0] = 0;
        delivery = kind == Kind.Unsubscribe
            ? new DeliveryId(BinaryPrimitives.ReadInt64BigEndian(block), BinaryPrimitives.ReadInt64BigEndian(block[8..]))
            : null;
        return kind is Kind.Unsubscribe or Kind.Preview;
    }

    // Strict: one spelling per token. Whether the two unused bits of the 43rd character are zero is not left to the decoder.
    private static bool TryDecode(string token, Span<byte> bytes)
        => token.Length == TokenLength
            && token.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
            && Base64Url.DecodeFromChars(token, bytes, out _, out var written) == OperationStatus.Done
            && written == bytes.Length
            && Base64Url.EncodeToString(bytes) == token;

    private void Seal(ReadOnlySpan<byte> block, Span<byte> seal)
    {
        Span<byte> whole = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(sealKey, block, whole);
        whole[..Block].CopyTo(seal);
    }

    // Only one thread has a cipher at a time; to set one up takes longer than the block.
    private static void Encrypt(ConcurrentQueue<BlockCipher> ciphers, byte[] key, ReadOnlySpan<byte> block, Span<byte> hidden)
    {
        if (!ciphers.TryDequeue(out var cipher)) cipher = new BlockCipher(key);
        cipher.Encrypt(block, hidden);
        ciphers.Enqueue(cipher);
    }

    private void Decrypt(ReadOnlySpan<byte> hidden, Span<byte> block)
    {
        using var aes = Aes.Create();
        aes.Key = linkKey;
        aes.DecryptEcb(hidden, block, PaddingMode.None);
    }

    private static byte[] Derive(byte[] key, int length, string label)
        => HKDF.DeriveKey(HashAlgorithmName.SHA256, key, length, info: Encoding.ASCII.GetBytes(label));

    private static string ToBase32(ReadOnlySpan<byte> bytes)
    {
        Span<char> text = stackalloc char[MessageIdLength];
        int buffer = 0, bits = 0, length = 0;
        foreach (var octet in bytes)
        {
            buffer = (buffer << 8 | octet) & 0xFFFF;
            for (bits += 8; bits >= 5; bits -= 5) text[length++] = Base32[buffer >> (bits - 5) & 31];
        }
        text[length] = Base32[buffer << (5 - bits) & 31];
        return new string(text);
    }

    /// <summary>AES of single blocks (FIPS 197), with one key; for one thread at a time.</summary>
    private sealed class BlockCipher
    {
        private readonly ICryptoTransform encryptor;
        private readonly byte[] clear = new byte[Block];
        private readonly byte[] hidden = new byte[Block];

        public BlockCipher(byte[] key)
        {
            using var aes = Aes.Create();
            (aes.Mode, aes.Padding, aes.Key) = (CipherMode.ECB, PaddingMode.None, key);
            encryptor = aes.CreateEncryptor();
        }

        public void Encrypt(ReadOnlySpan<byte> block, Span<byte> into)
        {
            block.CopyTo(clear);
            encryptor.TransformBlock(clear, 0, Block, hidden, 0);
            hidden.CopyTo(into);
        }
    }
}
