using System.Buffers.Text;
using CsCheck;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Feedback;

namespace WeeklyDigest.Tests.Feedback;

public sealed class LinkTokensTests
{
    private static readonly LinkTokens Tokens = new([.. Enumerable.Range(0, 32).Select(i => (byte)i)]);
    private static readonly Gen<DeliveryId> AnyDelivery = Gen.Select(Gen.Long[0, (1L << 56) - 1], Gen.Long, (mailing, subscriber) => new DeliveryId(mailing, subscriber));

    [Fact]
    public void A_token_comes_back_as_its_delivery() => AnyDelivery.Sample(delivery =>
        Tokens.TryReadUnsubscribe(Tokens.UnsubscribeToken(delivery), out var read) && read == delivery);

    [Fact]
    public void A_token_is_43_characters_of_base64url_and_always_the_same() => AnyDelivery.Sample(delivery =>
    {
        var token = Tokens.UnsubscribeToken(delivery);
        Assert.Equal(LinkTokens.TokenLength, token.Length);
        Assert.All(token, c => Assert.True(char.IsAsciiLetterOrDigit(c) || c is '-' or '_'));
        Assert.Equal(token, Tokens.UnsubscribeToken(delivery));
    });

    [Fact]
    public void Every_flipped_bit_makes_it_worthless()
    {
        var bytes = Base64Url.DecodeFromChars(Tokens.UnsubscribeToken(new DeliveryId(3, 12345)));
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << bit % 8);
            Assert.False(Tokens.TryReadUnsubscribe(Base64Url.EncodeToString(bytes), out _), $"bit {bit}");
            bytes[bit / 8] ^= (byte)(1 << bit % 8);
        }
    }

    [Fact]
    public void There_is_one_spelling_only()
    {
        const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        var token = Tokens.UnsubscribeToken(new DeliveryId(3, 12345));
        var readable = Alphabet.Where(last => Tokens.TryReadUnsubscribe(token[..^1] + last, out _));
        Assert.Equal([token[^1]], readable);
        foreach (var other in new[] { token + "=", token + " ", " " + token, token + "A", token[..^1], token.Insert(5, "\n"), "" })
            Assert.False(Tokens.TryReadUnsubscribe(other, out _), other);
    }

    [Fact]
    public void Strings_that_are_no_token_are_refused() => Gen.String.Sample(text => !Tokens.TryReadUnsubscribe(text, out _));

    [Fact]
    public void Random_bytes_of_the_right_length_are_refused()
        => Gen.Byte.Array[32].Sample(bytes => !Tokens.TryReadUnsubscribe(Base64Url.EncodeToString(bytes), out _));

    [Fact]
    public void Another_installation_cannot_read_it()
        => Assert.False(new LinkTokens(new byte[32]).TryReadUnsubscribe(Tokens.UnsubscribeToken(new DeliveryId(1, 1)), out _));

    [Fact]
    public void A_previews_token_is_ours_and_names_nobody()
    {
        Assert.True(Tokens.TryReadUnsubscribe(Tokens.PreviewToken(), out var delivery));
        Assert.Null(delivery);
    }

    [Fact]
    public void Neighbours_have_nothing_in_common()
    {
        var tokens = Enumerable.Range(1, 1000).Select(subscriber => Tokens.UnsubscribeToken(new DeliveryId(1, subscriber))).ToList();
        Assert.Equal(1000, tokens.Select(token => token[..8]).Distinct().Count());
    }

    [Fact]
    public void A_message_id_is_lower_case_and_shows_no_token() => AnyDelivery.Sample(delivery =>
    {
        var left = Tokens.MessageIdLeft(delivery);
        Assert.Equal(26, left.Length);
        Assert.All(left, c => Assert.True(char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c)));
        Assert.Equal(left, Tokens.MessageIdLeft(delivery));
        Assert.DoesNotContain(left[..10], Tokens.UnsubscribeToken(delivery), StringComparison.OrdinalIgnoreCase);
    });

    [Fact]
    public void Many_threads_get_the_same_tokens()
    {
        var expected = Tokens.UnsubscribeToken(new DeliveryId(5, 6)) + Tokens.MessageIdLeft(new DeliveryId(5, 6));
        Parallel.For(0, 20_000, _ => Assert.Equal(expected, Tokens.UnsubscribeToken(new DeliveryId(5, 6)) + Tokens.MessageIdLeft(new DeliveryId(5, 6))));
    }

    [Fact]
    public void A_short_secret_is_refused() => Assert.Throws<ArgumentException>(() => new LinkTokens(new byte[16]));
}
