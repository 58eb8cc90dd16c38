using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using RazorLight;

namespace WeeklyDigest.Rendering.Razor;

/// <summary>
/// Compiled views in a private folder, one file each. A file counts when it is this user's own and its checksum holds; whatever else is
/// found, or cannot be written, only costs compiling again.
/// </summary>
/// <param name="folder">The folder; created when something is kept.</param>
internal sealed partial class ViewCache(string folder)
{
    private const int Kept = 64;
    private const int LargestFile = 16 * 1024 * 1024;
    private const string Extension = ".view";

    // What a compiled view depends on beside its text: what it was compiled with, and what it calls.
    private static readonly string Program = string.Join(
        ' ', Version(typeof(ViewCache).Assembly), Version(typeof(ITemplatePage).Assembly), RuntimeInformation.FrameworkDescription);

    /// <summary>A compiled view, or null.</summary>
    public CompiledView? Find(TemplateSource view)
    {
        var key = KeyOf(view);
        try
        {
            using var file = new FileStream(PathOf(key), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            if (file.Length > LargestFile || !PrivateFile.IsOurs(file.SafeFileHandle)) return null;
            var bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            return Read(bytes, key);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Keeps a compiled view, and lets go of the oldest.</summary>
    public void Keep(TemplateSource view, CompiledView compiled)
    {
        var key = KeyOf(view);
        try
        {
            PrivateFolder.Create(folder);
            var draft = Path.Combine(folder, $"{key}.{Guid.NewGuid():n}");
            using (var file = new FileStream(draft, PrivateFile.ToCreate())) file.Write(Write(compiled, key));
            // Dying here leaves a draft that the sweep takes away. A file that power failed under does not match its checksum.
            File.Move(draft, PathOf(key), overwrite: true);
            Sweep();
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // Nothing is lost: the next process compiles again.
        }
    }

    // Layout: SHA-256 of the rest; the key; the assembly and the symbols, each after its length.
    private static byte[] Write(CompiledView view, string key)
    {
        using var content = new MemoryStream();
        using (var writer = new BinaryWriter(content, Encoding.UTF8, leaveOpen: true))
        {
            writer.Write(key);
            foreach (var part in new[] { view.Assembly, view.Symbols })
            {
                writer.Write(part.Length);
                writer.Write(part);
            }
        }
        return [.. SHA256.HashData(content.ToArray()), .. content.ToArray()];
    }

    private static CompiledView? Read(byte[] bytes, string key)
    {
        if (bytes.Length < SHA256.HashSizeInBytes || !SHA256.HashData(bytes.AsSpan(SHA256.HashSizeInBytes)).AsSpan().SequenceEqual(bytes.AsSpan(0, SHA256.HashSizeInBytes))) return null;
        using var reader = new BinaryReader(new MemoryStream(bytes, SHA256.HashSizeInBytes, bytes.Length - SHA256.HashSizeInBytes), Encoding.UTF8);
        // A file under another's name.
        if (reader.ReadString() != key) return null;
        return new CompiledView(reader.ReadBytes(reader.ReadInt32()), reader.ReadBytes(reader.ReadInt32()), []);
    }

    // The folder may be one that others use as well.
    private void Sweep()
    {
        var ours = new DirectoryInfo(folder).EnumerateFiles().Where(file => Name().IsMatch(file.Name));
        foreach (var file in ours.OrderByDescending(file => file.LastWriteTimeUtc).Skip(Kept)) file.Delete();
    }

    // A view, or the draft of one.
    [GeneratedRegex(@"\A[0-9a-f]{64}\.(?:view|[0-9a-f]{32})\z", RegexOptions.CultureInvariant)]
    private static partial Regex Name();

    private string PathOf(string key) => Path.Combine(folder, key + Extension);

    private static string KeyOf(TemplateSource view) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{Program} {view.Hash}")));

    private static string Version(Assembly assembly) => assembly.ManifestModule.ModuleVersionId.ToString();
}
