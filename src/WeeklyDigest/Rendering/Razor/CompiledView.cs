namespace WeeklyDigest.Rendering.Razor;

/// <summary>What became of a view: an assembly, or what is wrong with it.</summary>
/// <param name="Assembly">The assembly with the page's class; empty when there are errors.</param>
/// <param name="Symbols">Its symbols, which lead from a failure to the place in the view.</param>
/// <param name="Errors">What keeps the view from being compiled; empty when it was.</param>
public sealed record CompiledView(byte[] Assembly, byte[] Symbols, IReadOnlyList<ViewError> Errors);

/// <summary>A mistake in a view.</summary>
/// <param name="Line">Counted from 1.</param>
/// <param name="Column">Counted from 1, in UTF-16 units.</param>
/// <param name="Message">What is wrong.</param>
public sealed record ViewError(int Line, int Column, string Message);

/// <summary>Compiles the texts of views, wherever that is done; the results in the order of the texts.</summary>
/// <param name="texts">Views, merge slots replaced by tokens.</param>
/// <param name="cancel">Stops.</param>
/// <exception cref="TemplateException">The compiler itself cannot be used.</exception>
public delegate Task<IReadOnlyList<CompiledView>> CompileViews(IReadOnlyList<string> texts, CancellationToken cancel);
