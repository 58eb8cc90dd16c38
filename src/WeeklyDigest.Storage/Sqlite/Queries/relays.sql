-- name: RelayBudget
SELECT second_at, minute_at, hour_at FROM relay_budget WHERE relay = @relay;

-- name: KeepRelayBudget
INSERT INTO relay_budget (relay, second_at, minute_at, hour_at) VALUES (@relay, @second, @minute, @hour)
ON CONFLICT (relay) DO UPDATE SET second_at = excluded.second_at, minute_at = excluded.minute_at, hour_at = excluded.hour_at;

-- name: RelaysAside
SELECT relay AS Relay, kind AS Kind, reason AS Reason, at AS At FROM relay_aside ORDER BY relay;

-- name: SetRelayAside
INSERT INTO relay_aside (relay, kind, reason, at) VALUES (@relay, @kind, @reason, @at)
ON CONFLICT (relay) DO UPDATE SET kind = excluded.kind, reason = excluded.reason, at = excluded.at;

-- name: TakeRelayBack
DELETE FROM relay_aside WHERE relay = @relay;
