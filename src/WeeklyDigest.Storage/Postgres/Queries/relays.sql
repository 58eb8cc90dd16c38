-- name: AddRelayBudget
-- So that there is a row to lock. 0: no place was ever given out.
INSERT INTO relay_budget (relay, second_at, minute_at, hour_at) VALUES (@relay, 0, 0, 0) ON CONFLICT (relay) DO NOTHING;

-- name: LockRelayBudget
-- Nodes take turns here; the clock is read in the statement after it, when the turn has come.
SELECT 1 FROM relay_budget WHERE relay = @relay FOR UPDATE;

-- name: RelayBudget
SELECT second_at AS "Second", minute_at AS "Minute", hour_at AS "Hour",
       (extract(epoch FROM clock_timestamp()) * 1000)::double precision AS "Now"
FROM relay_budget WHERE relay = @relay;

-- name: KeepRelayBudget
UPDATE relay_budget SET second_at = @second, minute_at = @minute, hour_at = @hour WHERE relay = @relay;

-- name: RelaysAside
SELECT relay AS "Relay", kind AS "Kind", reason AS "Reason", at AS "At" FROM relay_aside ORDER BY relay;

-- name: SetRelayAside
INSERT INTO relay_aside (relay, kind, reason, at) VALUES (@relay, @kind, @reason, @at)
ON CONFLICT (relay) DO UPDATE SET kind = excluded.kind, reason = excluded.reason, at = excluded.at;

-- name: TakeRelayBack
DELETE FROM relay_aside WHERE relay = @relay;
