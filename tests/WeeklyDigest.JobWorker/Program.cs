using System.Globalization;
using Hangfire;
using Hangfire.Storage.SQLite;
using WeeklyDigest.JobWorker;

// A Hangfire server in a process of its own, to be killed: DATABASE LOG-FOLDER LEASE-SECONDS WORKERS QUEUE...
var (database, log) = (args[0], args[1]);
var lease = TimeSpan.FromSeconds(double.Parse(args[2], CultureInfo.InvariantCulture));
WorkLog.Open(log);
using var storage = new SQLiteStorage(database, new SQLiteStorageOptions { InvisibilityTimeout = lease });
using var server = new BackgroundJobServer(
    new BackgroundJobServerOptions { WorkerCount = int.Parse(args[3], CultureInfo.InvariantCulture), Queues = args[4..] }, storage);
Console.WriteLine("working");
// Whoever started this closes the input when it should stop; usually the process is killed instead.
Console.In.ReadToEnd();
