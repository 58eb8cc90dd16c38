using System.CommandLine;
using WeeklyDigest.Benchmarks.Sinks;

namespace WeeklyDigest.Benchmarks;

/// <summary>Our whole <c>send</c> and smtp-source in turn, with the same bytes, into the same sink, over as many connections.</summary>
internal static class SendBenchmark
{
    public static Command Create()
    {
        var recipients = new Option<int>("--recipients") { Description = "Recipients per round.", DefaultValueFactory = _ => 100_000 };
        var connections = new Option<int>("--connections") { Description = "Connections at once.", DefaultValueFactory = _ => 16 };
        var rounds = new Option<int>("--rounds") { Description = "Rounds; the medians count.", DefaultValueFactory = _ => 5 };
        var sink = new Option<string?>("--sink") { Description = "Another sink: a program that takes -p PORT and prints msgs=N rcpts=N at SIGTERM." };
        var plain = new Option<bool>("--plain") { Description = "The sink announces neither PIPELINING nor CHUNKING." };
        var command = new Command("send", "Recipients per second of `send`, ledger included, beside smtp-source.") { recipients, connections, rounds, sink, plain };
        command.SetAction(parsed => RunAsync(
            parsed.GetValue(recipients), parsed.GetValue(connections), parsed.GetValue(rounds), parsed.GetValue(sink), parsed.GetValue(plain)));
        return command;
    }

    private static async Task RunAsync(int recipients, int connections, int rounds, string? sink, bool plain)
    {
        using var folder = new BenchmarkFolder();
        folder.WriteList(recipients);
        await folder.RunAsync("render", BenchmarkFolder.Issue, "--out", folder.PathOf("out"));
        var message = folder.PathOf("out/issue.eml");
        var source = await SmtpSource.PrepareAsync(message);
        Figures.Print($"{recipients} recipients, {connections} connections, a message of {new FileInfo(message).Length / 1024.0:f1} KB");
        List<double> paces = [];
        List<SendRun> runs = [];
        for (var round = 1; round <= rounds; round++)
        {
            paces.Add(await PaceAsync(source, recipients, connections, sink, plain));
            runs.Add(await SendRun.MeasureAsync(folder, connections, sink, plain));
            Print(round, paces[^1], runs[^1]);
        }
        var (pace, rate) = (paces.Median(), runs.Select(run => run.Rate).Median());
        Figures.Print($"median: smtp-source {pace:f0}/s, send {rate:f0}/s, ratio {rate / pace:f2}");
    }

    private static async Task<double> PaceAsync(string source, int messages, int sessions, string? program, bool plain)
    {
        using var sink = await SinkProcess.StartAsync(program, plain);
        var took = await SmtpSource.RunAsync(source, messages, sessions, sink.Port);
        var received = await sink.StopAsync();
        return received.Recipients == messages
            ? messages / took.TotalSeconds
            : throw new InvalidOperationException($"smtp-source sent {messages}, the sink received {received}.");
    }

    private static void Print(int round, double pace, SendRun run) => Figures.Print(
        $"round {round}: smtp-source {pace:f0}/s, send {run.Rate:f0}/s ({run.Received.Recipients} received, {run.Sent} in the ledger), {run.Processor.TotalMicroseconds:f0} us + sink {run.SinkProcessor.TotalMicroseconds / run.Sent:f0} us, {run.Garbage / 1024:f1} KB garbage a message, {run.Peak >> 20} MB resident at most");
}
