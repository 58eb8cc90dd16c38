using System.CommandLine;
using System.Globalization;
using System.Net;
using WeeklyDigest.Publishing;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Server.Commands.Doctor;

/// <summary>
/// <c>doctor [--dns HOST:PORT] [--json]</c>: looks at everything that sending hangs on, each with a limit of time, and says what to do. Changes
/// nothing and sends nothing. Exit code 1 when there is a problem; warnings are none.
/// </summary>
internal static class DoctorCommand
{
    /// <summary>No single question, to a relay, the database or a web server, takes longer; to name servers, no try longer than <see cref="DnsPatience"/>.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan DnsPatience = TimeSpan.FromSeconds(2);

    /// <summary>The command.</summary>
    public static Command Create(CommandEdge edge)
    {
        var dns = new Option<string?>("--dns") { HelpName = "HOST:PORT", Description = "The name server to ask for DNS records. Default: the system's." };
        var json = Inputs.Json();
        var command = new Command("doctor", "Test settings, folders, database, relays, templates, clock, and the DNS records of DKIM, SPF and DMARC.") { dns, json };
        command.SetAction(edge.Run((run, parsed, cancel) => RunAsync(run, parsed.GetValue(dns), parsed.GetValue(json), cancel)));
        return command;
    }

    private static async Task<int> RunAsync(CommandRun run, string? dns, bool json, CancellationToken cancel)
    {
        IReadOnlyList<IPEndPoint> servers = dns is null ? TextRecords.OfTheSystem() : [await TextRecords.ServerAsync(dns, cancel)
            ?? throw new RefusedException($"'{dns}' is no name server; write its address and port, such as 127.0.0.1:53.")];
        var all = new List<Diagnosis>();
        await foreach (var diagnosis in new Examination(run, new TextRecords(servers, DnsPatience, run.Host.Time)).RunAsync(cancel))
        {
            all.Add(diagnosis);
            if (!json) await WriteAsync(run.Out, diagnosis);
        }
        var ok = all.TrueForAll(diagnosis => diagnosis.Status != Health.Problem);
        if (json) await Json.WriteAsync(run.Out, new DoctorResult(ok, all));
        else await run.Out.WriteLineAsync($"{Count(all, Health.Problem, "problem")}, {Count(all, Health.Warning, "warning")}.");
        return ok ? CommandLine.Done : CommandLine.Failed;
    }

    private static async Task WriteAsync(TextWriter target, Diagnosis diagnosis)
    {
        var name = $"{Name(diagnosis.Status),-8} {diagnosis.Area + ":",-10} ";
        await target.WriteLineAsync($"{name}{diagnosis.Message}{(diagnosis.Advice is { } advice ? " " + advice : "")}");
        if (diagnosis.Record is { } record) await target.WriteLineAsync($"{new string(' ', name.Length)}{record.ZoneLine}");
    }

    private static string Count(IEnumerable<Diagnosis> all, Health status, string word)
    {
        var count = all.Count(diagnosis => diagnosis.Status == status);
        return string.Create(CultureInfo.InvariantCulture, $"{count} {word}{(count == 1 ? "" : "s")}");
    }

    private static string Name(Health status) => status.ToString().ToLowerInvariant();
}

/// <summary>The JSON of the doctor.</summary>
internal sealed record DoctorResult(bool Ok, IReadOnlyList<Diagnosis> Checks);
