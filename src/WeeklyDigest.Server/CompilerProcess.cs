using System.Diagnostics;
using System.Text;
using System.Text.Json;
using WeeklyDigest.Rendering;
using WeeklyDigest.Rendering.Razor;
using WeeklyDigest.Server.Commands;
using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Server;

/// <summary>
/// Compiles views in a process of their own, which ends with it: what sends or serves for days never has the compiler in its memory.
/// </summary>
/// <param name="program">The program and its arguments.</param>
/// <param name="limit">How long it may take.</param>
/// <param name="time">The clock.</param>
internal sealed class CompilerProcess(IReadOnlyList<string> program, TimeSpan limit, TimeProvider time)
{
    // It takes some 4 seconds of processor time; a machine that is busy gives them in its own time.
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>An installation's renderer.</summary>
    public static IssueRenderer Renderer(PathsSettings paths)
        => new(paths.Templates, new ViewLibrary(paths.TemplateCache, new CompilerProcess(Self(), Limit, TimeProvider.System).CompileAsync));

    /// <summary>Compiles views.</summary>
    /// <exception cref="TemplateException">The process did not do so; says what it wrote last.</exception>
    public async Task<IReadOnlyList<CompiledView>> CompileAsync(IReadOnlyList<string> texts, CancellationToken cancel)
    {
        using var deadline = new CancellationTokenSource(limit, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancel);
        using var process = Start();
        try
        {
            var (output, errors) = (process.StandardOutput.ReadToEndAsync(stop.Token), process.StandardError.ReadToEndAsync(stop.Token));
            await AskAsync(process, texts, stop.Token);
            var (answer, words) = (await output, await errors);
            await process.WaitForExitAsync(stop.Token);
            return process.ExitCode == 0 && Parse(answer) is { } views && views.Count == texts.Count
                ? views
                : throw new TemplateException($"The templates were not compiled: `{CommandText}` ended with {process.ExitCode}. {words}".TrimEnd());
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new TemplateException($"The templates were not compiled: `{CommandText}` took longer than {limit}. Look what keeps this machine busy, and try again.");
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }

    private string CommandText => string.Join(' ', program);

    private Process Start()
    {
        var start = new ProcessStartInfo(program[0], program.Skip(1))
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
            StandardInputEncoding = Utf8, StandardOutputEncoding = Utf8, StandardErrorEncoding = Utf8,
        };
        // It lives for seconds: memory and time that pay off in hours are wasted on it.
        (start.Environment["DOTNET_gcServer"], start.Environment["DOTNET_TieredPGO"]) = ("0", "0");
        try
        {
            return Process.Start(start) ?? throw new TemplateException($"The templates were not compiled: `{CommandText}` did not start.");
        }
        catch (System.ComponentModel.Win32Exception problem)
        {
            throw new TemplateException($"The templates were not compiled: {problem.Message}", problem);
        }
    }

    private static async Task AskAsync(Process process, IReadOnlyList<string> texts, CancellationToken cancel)
    {
        try
        {
            await process.StandardInput.WriteAsync(JsonSerializer.Serialize(texts).AsMemory(), cancel);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended before it read all: its exit code and its words say why.
        }
    }

    private static List<CompiledView>? Parse(string answer)
    {
        try
        {
            return JsonSerializer.Deserialize<List<CompiledView>>(answer);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // Started as `dotnet weeklydigest.dll`, the program is that again; else its own executable, beside the assembly also where tests run it.
    private static IReadOnlyList<string> Self()
    {
        var assembly = typeof(CompilerProcess).Assembly.Location;
        var executable = Path.ChangeExtension(assembly, OperatingSystem.IsWindows() ? ".exe" : null);
        return Path.GetFileNameWithoutExtension(Environment.ProcessPath) is "dotnet" || !File.Exists(executable)
            ? [Environment.ProcessPath!, assembly, CompileTemplatesCommand.Name]
            : [executable, CompileTemplatesCommand.Name];
    }
}
