using System.CommandLine;
using WeeklyDigest.Benchmarks.Sinks;

namespace WeeklyDigest.Benchmarks;

/// <summary>
/// Our whole <c>send</c> and, in turn, what it is judged by: smtp-source with the same bytes, into the same sink, over as many connections; with
/// DKIM, what the machine can sign.
/// </summary>
internal static class SendBenchmark
{
    public static Command Create()
    {
        var recipients = new Option<int>("--recipients") { Description = "Recipients per round.", DefaultValueFactory = _ => 100_000 };
        var connections = new Option<int>("--connections") { Description = "Connections at once.", DefaultValueFactory = _ => 16 };
        var rounds = new Option<int>("--rounds") { Description = "Rounds; the medians count.", DefaultValueFactory = _ => 5 };
        var sink = new Option<string?>("--sink") { Description = "Another sink: a program that takes -p PORT and prints msgs=N rcpts=N at SIGTERM." };
        var plain = new Option<bool>("--plain") { Description = "The sink announces neither PIPELINING nor CHUNKING." };
        var dkim = new Option<bool>("--dkim") { Description = "Sign with RSA-2048, beside `openssl speed`." };
        var command = new Command("send", "Recipients per second of `send`, ledger included, beside smtp-source.") { recipients, connections, rounds, sink, plain, dkim };
        command.SetAction(parsed => RunAsync(
            parsed.GetValue(recipients), parsed.GetValue(connections), parsed.GetValue(rounds), new SinkKind(parsed.GetValue(sink), parsed.GetValue(plain)), parsed.GetValue(dkim)));
        return command;
    }

    private static async Task RunAsync(int recipients, int connections, int rounds, SinkKind sink, bool dkim)
    {
        using var folder = new BenchmarkFolder();
        folder.WriteList(recipients);
        if (dkim) folder.Sign();
        await folder.RunAsync("render", BenchmarkFolder.Issue, "--out", folder.PathOf("out"));
        var message = folder.PathOf("out/issue.eml");
        var source = await SmtpSource.PrepareAsync(message);
        var beside = dkim ? "openssl speed rsa2048" : "smtp-source";
        Figures.Print($"{recipients} recipients, {connections} connections, a message of {new FileInfo(message).Length / 1024.0:f1} KB");
        List<double> paces = [];
        List<SendRun> runs = [];
        for (var round = 1; round <= rounds; round++)
        {
            paces.Add(await (dkim ? OpensslSpeed.SignaturesAsync() : PaceAsync(source, recipients, connections, sink)));
            runs.Add(await SendRun.MeasureAsync(folder, connections, sink));
            Print(round, beside, paces[^1], runs[^1]);
        }
        var (pace, rate) = (paces.Median(), runs.Select(run => run.Rate).Median());
        Figures.Print($"median: {beside} {pace:f0}/s, send {rate:f0}/s, ratio {rate / pace:f2}");
    }

    private static async Task<double> PaceAsync(string source, int messages, int sessions, SinkKind kind)
    {
        using var sink = await SinkProcess.StartAsync(kind);
        var took = await SmtpSource.RunAsync(source, messages, sessions, sink.Port);
        var received = await sink.StopAsync();
        return received.Recipients == messages
            ? messages / took.TotalSeconds
            : throw new InvalidOperationException($"smtp-source sent {messages}, the sink received {received}.");
    }

    private static void Print(int round, string beside, double pace, SendRun run) => Figures.Print(
        $"round {round}: {beside} {pace:f0}/s, send {run.Rate:f0}/s ({run.Received.Recipients} received, {run.Sent} in the ledger), {run.Processor.TotalMicroseconds:f0} us + sink {run.SinkProcessor.TotalMicroseconds / run.Sent:f0} us, {run.Garbage / 1024:f1} KB garbage a message, {run.Peak >> 20} MB resident at most, a kill would leave {run.Awaited.Average():f1} uncertain");
}
