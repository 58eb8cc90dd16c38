using System.Reflection;
using Hangfire;

namespace WeeklyDigest.Server.Jobs;

/// <summary>
/// The types that a stored job may name: this program's jobs, and what their methods take. Hangfire itself runs any method of any type that a row of its
/// tables names, so that whoever can write there could run what he likes on every server.
/// </summary>
internal static class JobTypes
{
    private static readonly Type[] Jobs =
        [typeof(WeeklyDigestJob), typeof(ScheduledDigestJob), typeof(ScheduleJob), typeof(PreviewJob), typeof(SendIssueJob), typeof(DeliverMailingJob)];

    // By full name alone: rows of other versions name other assemblies, and other versions of them.
    private static readonly Dictionary<string, Type> Known = Jobs
        .Concat(Jobs.SelectMany(job => job.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)).SelectMany(method => method.GetParameters()).Select(parameter => parameter.ParameterType))
        // How the package Hangfire.Storage.SQLite writes the queues of a server.
        .Append(typeof(string[]))
        .Distinct().ToDictionary(type => type.FullName!);

    /// <summary>Lets Hangfire load no others, in this process: whether they stand in a row's type, its parameters or its arguments.</summary>
    public static void RefuseOthers()
    {
        GlobalConfiguration.Configuration.UseTypeResolver(Resolve);
        // The jobs say of themselves that they are not retried; what remains of Hangfire's ten retries is for those that cannot be loaded.
        foreach (var retry in GlobalJobFilters.Filters.Select(filter => filter.Instance).OfType<AutomaticRetryAttribute>().ToList()) GlobalJobFilters.Filters.Remove(retry);
    }

    /// <summary>The type of a stored name.</summary>
    /// <param name="name">A full name, with or without its assembly.</param>
    /// <exception cref="TypeLoadException">It is none of those; nothing was loaded.</exception>
    public static Type Resolve(string name) => Known.GetValueOrDefault(name.Split(',')[0]) ?? throw new TypeLoadException(
        $"{name} is no job of this program, and nothing of it was run. If nobody has upgraded the program since, find out who wrote this job into the database.");
}
