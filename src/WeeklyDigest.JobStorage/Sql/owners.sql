-- Processes at work, and what they hold: claims, locks, announced servers. The schema lets go of all of it with the owner's row.

-- name: AddOwner
-- The name is what others know it by; the id may come from a transaction that is taken back, and then be somebody else's.
INSERT INTO owner (name) VALUES (@name);

-- name: IsOwner
SELECT 1 FROM owner WHERE id = @owner AND name = @name;

-- name: Beat
UPDATE owner SET beat = beat + 1 WHERE name = @name;

-- name: OtherOwners
SELECT name, beat FROM owner WHERE name <> @name;

-- name: RemoveOwner
DELETE FROM owner WHERE name = @name;

-- name: TakeLock
INSERT INTO distributed_lock (resource, owner) VALUES (@resource, @owner) ON CONFLICT (resource) DO NOTHING;

-- name: IsLocked
SELECT 1 FROM distributed_lock WHERE resource = @resource;

-- name: ReleaseLock
DELETE FROM distributed_lock WHERE id = @lock;

-- name: AnnounceServer
INSERT INTO server (id, owner, queues, workers, started_at, heartbeat_at) VALUES (@server, @owner, @queues, @workers, @now, @now)
ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, queues = excluded.queues, workers = excluded.workers, heartbeat_at = excluded.heartbeat_at;

-- name: RemoveServer
DELETE FROM server WHERE id = @server;

-- name: Heartbeat
UPDATE server SET heartbeat_at = @now WHERE id = @server;

-- name: RemoveSilentServers
DELETE FROM server WHERE heartbeat_at < @before;

-- name: Servers
SELECT id, queues, workers, started_at, heartbeat_at FROM server ORDER BY id;
