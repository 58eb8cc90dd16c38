namespace WeeklyDigest.Publishing;

/// <summary>What the system says of another process of this machine.</summary>
internal static class ProcessState
{
    /// <summary>
    /// Whether it is stopped, by a signal (SIGSTOP, Ctrl-Z) or a debugger (proc_pid_stat(5), the states T and t). False where that cannot be known: there is
    /// no such process, or the system is not Linux.
    /// </summary>
    /// <param name="processId">Its number.</param>
    public static bool IsStopped(int processId)
    {
        try
        {
            // The program's name stands before it in parentheses, and may hold any character.
            var words = File.ReadAllText($"/proc/{processId}/stat");
            return words.AsSpan(words.LastIndexOf(')') + 1).TrimStart() is ['T' or 't', ..];
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
