using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using WeeklyDigest.Server.Inbox;

namespace WeeklyDigest.Tests.Inbox;

/// <summary>What the inbox still answers when it ends: who is not told that a message was kept sends it again.</summary>
public sealed class InboxEndTests
{
    [Fact]
    public async Task Answers_first_what_it_was_asked_before()
    {
        using var stop = new CancellationTokenSource();
        using var stream = new MemoryStream();
        await using var wire = new InboxWire(stream, TimeProvider.System, stop.Token);
        wire.Reply("250 2.0.0 Kept");
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wire.FillAsync().AsTask());
        Assert.Equal("250 2.0.0 Kept\r\n", Encoding.ASCII.GetString(stream.ToArray()));
    }

    [Fact]
    public async Task Waits_two_seconds_for_a_client_that_takes_no_answer()
    {
        var time = new FakeTimeProvider();
        using var stop = new CancellationTokenSource();
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 1, resumeWriterThreshold: 1));
        await using var wire = new InboxWire(pipe.Writer.AsStream(), time, stop.Token);
        wire.Reply("250 2.0.0 Kept");
        var answering = wire.FillAsync().AsTask();
        await stop.CancelAsync();
        time.Advance(InboxWire.LongestFarewell - TimeSpan.FromMilliseconds(1));
        Assert.False(answering.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answering);
    }

    [Fact]
    public async Task Has_kept_just_the_messages_that_it_answered_with_250()
    {
        await using var inbox = new InboxFolder();
        var answered = 0;
        var clients = Enumerable.Range(0, 16).Select(_ => SendAsync()).ToList();
        await Eventually.HoldsAsync(() => Volatile.Read(ref answered) > 100, "messages are coming in");
        await inbox.Server.DisposeAsync();
        await Task.WhenAll(clients);
        Assert.Equal(answered, inbox.Store.Count);
        Assert.Equal(0, inbox.DraftCount);

        async Task SendAsync()
        {
            string[] message = ["MAIL FROM:<a@example.org>\r\n", "RCPT TO:<b@example.org>\r\n", "DATA\r\n", "Subject: x\r\n\r\n.\r\n"];
            try
            {
                await using var raw = await RawSmtp.ConnectAsync(inbox.Server.Port);
                for (var i = 0; await raw.SayAsync(i == 0 ? "EHLO c\r\n" : message[(i - 1) % 4]) is ['2' or '3', ..]; i++)
                    if (i > 0 && i % 4 == 0) Interlocked.Increment(ref answered);
            }
            catch (Exception e) when (e is IOException or SocketException)
            {
                // It hung up.
            }
        }
    }
}
