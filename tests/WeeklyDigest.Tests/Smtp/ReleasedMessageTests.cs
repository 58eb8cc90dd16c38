using System.Text;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Smtp;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Smtp;

/// <summary>The memory of a message is another's as soon as its end leaves: hundreds of connections may wait for an answer.</summary>
public sealed class ReleasedMessageTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("None")]
    [InlineData("Modern, Chunking")]
    public async Task What_is_written_over_it_then_does_not_reach_the_relay(string announced)
    {
        await using var server = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { Abilities = Enum.Parse<SmtpAbilities>(announced), KeepBytes = true });
        await using var session = new SmtpSession(new RelayOptions { Name = "main", Host = "127.0.0.1", Port = server.Port, Security = RelaySecurity.None }, TimeProvider.System);
        await session.OpenAsync(Cancel);
        // Around what is put together into one write, with the command in front or without it; and around what MailKit writes at once.
        int[] sizes = [100, .. Enumerable.Range(4096 - 4, 8), .. Enumerable.Range(RelayStream.BlockSize - 32, 64), 200_000];
        foreach (var size in sizes)
        {
            var bytes = Message(size);
            var isOver = false;
            var message = new ComposedMessage(bytes, EightBit: false, Utf8Headers: false) { Leaving = Overwrite };
            Assert.Equal(SendResult.Accepted, (await session.SendAsync(message, Samples.Bounces, Samples.Address("ada@example.org"), Cancel).WaitAsync(TimeSpan.FromSeconds(20), Cancel)).Result);
            Assert.True(isOver);
            Assert.Equal(Message(size), server.Accepted[^1].Bytes.ToArray());

            bool Overwrite()
            {
                Array.Fill(bytes, (byte)'?');
                isOver = true;
                return false;
            }
        }
    }

    [Fact]
    public void Its_buffer_takes_the_next_one()
    {
        var composer = new MessageComposer(Samples.Content());
        var expected = composer.Compose(Samples.Recipient(), Samples.Modern).Bytes.ToArray();
        var buffer = new MessageBuffer();
        foreach (var released in Enumerable.Range(0, 3))
        {
            Assert.Equal(expected, composer.Compose(Samples.Recipient(), Samples.Modern, buffer).Bytes.ToArray());
            for (var i = 0; i < released; i++) buffer.Release();
        }
    }

    [Fact]
    public void Its_memory_is_anothers_then_and_only_one_others()
    {
        var composer = new MessageComposer(Samples.Content());
        var pool = System.Buffers.ArrayPool<byte>.Create(1 << 20, 4);
        MessageBuffer[] buffers = [new(pool), new(pool), new(pool)];
        composer.Compose(Samples.Recipient(), Samples.Modern, buffers[0]);
        buffers[0].Release();
        buffers[0].Release();
        var recipients = buffers.Select((_, i) => Samples.Recipient($"r{i}@example.org")).ToList();
        var messages = buffers.Select((buffer, i) => composer.Compose(recipients[i], Samples.Modern, buffer).Bytes).ToList();
        Assert.All(messages.Zip(recipients), pair => Assert.Equal(composer.Compose(pair.Second, Samples.Modern).Bytes.ToArray(), pair.First.ToArray()));
    }

    private static byte[] Message(int size)
    {
        var text = new StringBuilder("Subject: Week 1\r\n\r\n");
        while (size - text.Length > 82) text.Append('x', 78).Append("\r\n");
        return Encoding.ASCII.GetBytes(text.Append('x', size - text.Length - 2).Append("\r\n").ToString());
    }
}
