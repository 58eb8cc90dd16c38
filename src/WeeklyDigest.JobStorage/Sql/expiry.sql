-- What has expired goes in small steps, so that no step keeps a writer waiting. The triggers drop a key's expiry with its last item.

-- name: SweepJobs
-- Parameters and states go with the job.
DELETE FROM job WHERE id IN (SELECT id FROM job WHERE expires_at <= @now ORDER BY expires_at LIMIT @count);

-- name: SweepCounters
DELETE FROM counter WHERE key IN (SELECT key FROM counter WHERE expires_at <= @now LIMIT @count);

-- name: SweepSets
DELETE FROM set_item WHERE (key, value) IN (
    SELECT i.key, i.value FROM key_expiry e CROSS JOIN set_item i ON i.key = e.key WHERE e.kind = 'set' AND e.expires_at <= @now LIMIT @count);

-- name: SweepHashes
DELETE FROM hash_field WHERE (key, field) IN (
    SELECT i.key, i.field FROM key_expiry e CROSS JOIN hash_field i ON i.key = e.key WHERE e.kind = 'hash' AND e.expires_at <= @now LIMIT @count);

-- name: SweepLists
DELETE FROM list_item WHERE id IN (
    SELECT i.id FROM key_expiry e CROSS JOIN list_item i ON i.key = e.key WHERE e.kind = 'list' AND e.expires_at <= @now LIMIT @count);
