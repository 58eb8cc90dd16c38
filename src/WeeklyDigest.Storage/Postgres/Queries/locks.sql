-- The advisory locks, all of them, each with a number of its own: 1464101223 is "WDig", as in the SQLite file.

-- name: MakingTables
-- Held by the session; another node that starts at the same moment waits.
SELECT pg_advisory_lock(1464101223, 1);

-- name: MadeTables
SELECT pg_advisory_unlock(1464101223, 1);

-- name: Gate
-- Marks pass it together; who ends a subscription or stops a mailing closes it until the commit (CloseGate). So a mark that is
-- committed later has seen the end: each statement looks at the database anew, and this one is before the mark.
SELECT pg_advisory_xact_lock_shared(1464101223, 2);

-- name: CloseGate
SELECT pg_advisory_xact_lock(1464101223, 2);

-- name: ImportsTakeTurns
-- From here on, while the rows are already here: two imports that add the same addresses in another order would wait for each other.
SELECT pg_advisory_xact_lock(1464101223, 3);

-- name: TryTurn
-- Who starts a job. One that is frozen keeps the others away for seconds.
SELECT pg_try_advisory_xact_lock(1464101223, 4) FROM set_config('idle_in_transaction_session_timeout', '10s', true);
